"""Chances that Grappler missed: found in a graph by rules, without TensorFlow, each with what stood in its way."""

from __future__ import annotations

from tfgraphdbg.chances.contract import Chance, ChanceRule, ChancesPart, Proof, TriedChance
from tfgraphdbg.chances.search import find_chances

__all__ = ["Chance", "ChanceRule", "ChancesPart", "Proof", "TriedChance", "find_chances"]
