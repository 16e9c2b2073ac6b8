"""SVG of a layout engine -> SVG with a style sheet: one file for light and dark, coloured by CSS classes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

from tfgraphdbg.views.paint import Paint

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c1e24",
    "faint-ink": "#6b7280",
    "detail-ink": "#4a5264",
    "line": "#7b8494",
    "faint-line": "#b4bac6",
    "box": "#f8fafc",
    "inner-box": "#f1f4f9",
    "frame": "#cbd3df",
}
_DARK = {
    "paper": "#16181d",
    "ink": "#e8eaf0",
    "faint-ink": "#9aa3b2",
    "detail-ink": "#b9c1cf",
    "line": "#7f899b",
    "faint-line": "#4b5261",
    "box": "#1b1e25",
    "inner-box": "#21252d",
    "frame": "#3a414e",
}

_RULES = """
svg { background: var(--paper); }
text { font-family: Helvetica, Arial, Arimo, 'Liberation Sans', 'Nimbus Sans', sans-serif; fill: var(--ink); }
.graph > polygon:first-of-type { fill: var(--paper); }
.edge path { stroke: var(--line); }
.edge polygon { stroke: var(--line); fill: var(--line); }
.edge.control path, .edge.handle path { stroke: var(--faint-line); }
.edge.control polygon, .edge.handle polygon { stroke: var(--faint-line); fill: var(--faint-line); }
.edge text, .cluster text, text[fill="#6b7280"] { fill: var(--faint-ink); }
text[fill="#4a5264"] { fill: var(--detail-ink); }
.cluster path, .cluster polygon { fill: var(--box); stroke: var(--frame); }
.cluster.level-1 path, .cluster.level-1 polygon { fill: var(--inner-box); }
.node:hover path, .node:hover polygon, .node:hover ellipse { stroke-width: 2; }
.edge:hover path { stroke: var(--ink); stroke-width: 2; }
"""

_HEADER = re.compile(rb"<svg[^>]*>")
_TITLE = re.compile(rb'<title>(?P<node>\w+)</title>(?:(?P<link>\s*<g id="\w+"><a) xlink:title="[^"]*")?')


def styled(svg: bytes, paints: Iterable[Paint], tooltips: Mapping[str, Sequence[str]]) -> bytes:
    """The SVG with colours by class and media query, and each node's whole name as its title.

    `tooltips` has for each node's identifier in DOT its lines, the name first. The engine's own fills stay, for
    programs that know no CSS.
    """
    sheet = f"<style>{_sheet(tuple(paints))}</style>".encode()
    header = _HEADER.search(svg)
    place = header.end() if header else 0
    body = _TITLE.sub(lambda match: _titled(match, tooltips), svg[place:])
    return svg[:place] + b"\n" + sheet + body


def _titled(match: re.Match[bytes], tooltips: Mapping[str, Sequence[str]]) -> bytes:
    lines = [html.escape(line) for line in tooltips.get(match["node"].decode(), ())]
    if not lines:
        return match[0]
    # Anew, since engines expand `\\N` in a tooltip however it is escaped.
    link = match["link"] and match["link"] + f' xlink:title="{"&#10;".join(lines)}"'.encode()
    return f"<title>{lines[0]}</title>".encode() + (link or b"")


def _sheet(paints: tuple[Paint, ...]) -> str:
    light = [_variables(_LIGHT), *(_paint_rule(paint, paint.fill, paint.stroke) for paint in paints)]
    dark = [_variables(_DARK), *(_paint_rule(paint, paint.dark_fill, paint.dark_stroke) for paint in paints)]
    # The legend's cells have no class of their own.
    dark += [f'.graph > polygon[fill="{paint.fill}"] {{ fill: {paint.dark_fill}; }}' for paint in paints]
    dark += [f'.graph > polygon[stroke="{paint.stroke}"] {{ stroke: {paint.dark_stroke}; }}' for paint in paints]
    return "\n".join((*light, _RULES, "@media (prefers-color-scheme: dark) {", *dark, "}", ""))


def _variables(values: dict[str, str]) -> str:
    return f"svg {{ {' '.join(f'--{name}: {value};' for name, value in values.items())} }}"


def _paint_rule(paint: Paint, fill: str, stroke: str) -> str:
    node = f".node.{paint.css_class}"
    # The second border and the rim of a cylinder are outlines without a fill.
    filled = ", ".join(f'{node} {shape}:not([fill="none"])' for shape in ("path", "polygon", "ellipse"))
    drawn = ", ".join(f"{node} {shape}" for shape in ("path", "polygon", "ellipse"))
    return f"{filled} {{ fill: {fill}; }}\n{drawn} {{ stroke: {stroke}; }}"
