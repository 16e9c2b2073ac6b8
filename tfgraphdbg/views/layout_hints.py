"""Nodes and edges -> hints that keep a picture narrow: fans of leaves and loose parts are laid in several rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

_WIDE = 8
"""So many nodes beside each other are still easy to read."""


def edge_lengths(edges: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many rows an edge spans, for edges that need more than one: leaves of a large fan take turns."""
    neighbours = _neighbours(edges)
    fans: dict[tuple[str, bool], list[tuple[str, str]]] = {}
    for source, target in dict.fromkeys(edges):
        if len(neighbours[target]) == 1:
            fans.setdefault((source, True), []).append((source, target))
        elif len(neighbours[source]) == 1:
            fans.setdefault((target, False), []).append((source, target))
    lengths: dict[tuple[str, str], int] = {}
    for fan in fans.values():
        rows = _rows(len(fan))
        lengths.update({edge: 1 + place % rows for place, edge in enumerate(fan) if place % rows})
    return lengths


def stacking_edges(boxes: Iterable[Sequence[str]], edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Invisible edges that put the loose parts of each box below one another, where there are many.

    `boxes` lists the nodes of each box, those outside all boxes first. Loose is a part that no edge ties to the rest of
    the picture, and a leaf of a box whose one neighbour is elsewhere: dot lays each box out by its own edges.
    """
    box_of = {node: place for place, nodes in enumerate(boxes) for node in nodes}
    neighbours = _neighbours(edges)
    tied = [(a, b) for a, b in edges if not any(_is_far_leaf(node, neighbours, box_of) for node in (a, b))]
    sources = {source for source, _ in edges}
    parts_in: dict[int, list[list[str]]] = {}
    for part in _parts(box_of, tied):
        places = {box_of[node] for node in part}
        if len(places) == 1:
            parts_in.setdefault(places.pop(), []).append(part)
    stacked = []
    for loose in parts_in.values():
        columns = math.ceil(len(loose) / _rows(len(loose)))
        for above, below in zip(loose, loose[columns:], strict=False):
            end = next((node for node in reversed(above) if node not in sources), above[-1])
            stacked.append((end, below[0]))
    return stacked


def _neighbours(edges: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    neighbours: dict[str, set[str]] = {}
    for source, target in edges:
        neighbours.setdefault(source, set()).add(target)
        neighbours.setdefault(target, set()).add(source)
    return neighbours


def _is_far_leaf(node: str, neighbours: Mapping[str, set[str]], box_of: Mapping[str, int]) -> bool:
    box = box_of[node]
    return box > 0 and len(neighbours[node]) == 1 and all(box_of[near] != box for near in neighbours[node])


def _rows(count: int) -> int:
    return 1 if count <= _WIDE else math.ceil(math.sqrt(count / 3))


def _parts(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The connected parts, in the order of their first nodes."""
    parent = {node: node for node in nodes}

    def root(node: str) -> str:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for source, target in edges:
        parent[root(source)] = root(target)
    parts: dict[str, list[str]] = {}
    for node in parent:
        parts.setdefault(root(node), []).append(node)
    return list(parts.values())
