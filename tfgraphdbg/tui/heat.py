"""The share of time that something took -> the colour that says so, and the legend of these colours."""

from __future__ import annotations

from tfgraphdbg.tui.detail_row import Part

HEATS: tuple[tuple[float, str, str], ...] = (
    (0.10, "heat-1", "10 %"),
    (0.03, "heat-2", "3 %"),
    (0.01, "heat-3", "1 %"),
    (0.001, "heat-4", "0.1 %"),
    (0.0, "heat-5", "less"),
)
"""From which share on, the style, and its word in the legend; the first that fits."""

UNTIMED = "heat-none"
"""The style of what no time is known of."""

HEAT_STYLES = (*(style for _, style, _ in HEATS), UNTIMED)
"""Every style that `heat` gives."""


def heat(share: float | None) -> str:
    """The style of something that took this share of the time; None: it is not known."""
    if share is None:
        return UNTIMED
    return next((style for least, style, _ in HEATS if share >= least), HEATS[-1][1])


def share_words(share: float | None) -> str:
    """The share in at most six cells; empty when it is not known."""
    if share is None:
        return ""
    return f"{share:.1%}" if share >= 0.0005 or not share else "<0.1%"


def legend() -> tuple[Part, ...]:
    """What the colours mean, in one row."""
    parts = [Part("share of the busy time, measured:", "dim")]
    for least, style, words in HEATS:
        parts.append(Part(f"  ■ {'from ' if least else ''}{words}", style))
    return (*parts, Part("  ■ no event", UNTIMED))
