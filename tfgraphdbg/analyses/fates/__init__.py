"""What became of every op, from the traced graph over inlining, lowering and each Grappler pass to the one that ran."""

from __future__ import annotations

from tfgraphdbg.analyses.fates.accounting import OpFate, PassFates, pass_fates
from tfgraphdbg.analyses.fates.fate_events import FateEvent
from tfgraphdbg.analyses.fates.rules import FATES, RUNTIME, Fate

__all__ = ["FATES", "RUNTIME", "Fate", "FateEvent", "OpFate", "PassFates", "pass_fates"]
