"""The two colour themes that the app brings; Textual's own can be chosen in the command palette."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="tfgraphdbg-dark",
    primary="#7aa2d6",
    secondary="#5f7ea8",
    accent="#e0af68",
    warning="#e0af68",
    error="#e06c75",
    success="#8fbf7f",
    foreground="#cdd3de",
    background="#14171c",
    surface="#181c22",
    panel="#20252d",
    dark=True,
)

LIGHT = Theme(
    name="tfgraphdbg-light",
    primary="#2f5f9e",
    secondary="#5f7ea8",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b3313c",
    success="#3c7a2e",
    foreground="#2a2f38",
    background="#fafaf8",
    surface="#f4f4f1",
    panel="#e8e8e3",
    dark=False,
)
