"""The colours of pictures: a paint is a CSS class, its words in the legend, and its colours for light and dark."""

from __future__ import annotations

from typing import NamedTuple


class Paint(NamedTuple):
    """How a node is coloured, and what that means."""

    css_class: str
    words: str
    fill: str
    stroke: str
    dark_fill: str
    dark_stroke: str


CATEGORY_PAINTS: dict[str, Paint] = {
    "compute": Paint("cat-compute", "matrix, convolution", "#bcd4fb", "#3f6fc4", "#234379", "#7ea6ee"),
    "math": Paint("cat-math", "math", "#c5ebe6", "#3d8f86", "#1f4f4b", "#6fc2b8"),
    "gradient": Paint("cat-gradient", "gradient", "#e2d0f8", "#8459bf", "#4a3173", "#b493e6"),
    "variable": Paint("cat-variable", "variable", "#ffdcab", "#c07f1f", "#6b4715", "#e3ab5a"),
    "constant": Paint("cat-constant", "constant", "#e9e9ec", "#9a9aa3", "#3a3b42", "#8d8e99"),
    "input": Paint("cat-input", "input, output", "#fdf3b4", "#b39b1e", "#5b5016", "#d6c25a"),
    "shape": Paint("cat-shape", "shape, layout", "#d7edc4", "#6c9c43", "#34501f", "#98c76f"),
    "control": Paint("cat-control", "control flow", "#ffcdc9", "#cc5a50", "#6e2a25", "#ee8f86"),
    "call": Paint("cat-call", "function call", "#f6c9e4", "#bb4a8e", "#66264d", "#e587bf"),
    "communication": Paint("cat-communication", "communication", "#ffc3a0", "#cf5f22", "#733514", "#f29966"),
    "other": Paint("cat-other", "other", "#f4ede0", "#8c8371", "#45413a", "#a89f8d"),
}

SCOPE = Paint("cat-scope", "folded scope", "#eef2f8", "#64748b", "#262c37", "#8492a8")

NO_VALUE = Paint("no-value", "no value", "#f7f7f8", "#b6b8bf", "#25262b", "#5d5f68")

DIFF_PAINTS: dict[str, Paint] = {
    "removed": Paint("diff-removed", "removed", "#ffc9c9", "#c92a2a", "#6b2222", "#f08080"),
    "added": Paint("diff-added", "added", "#c3f0ca", "#2b8a3e", "#1e5229", "#74cf87"),
    "changed": Paint("diff-changed", "changed", "#ffe8a3", "#b98900", "#5f4a0d", "#e2bd4a"),
    "kept": Paint("diff-kept", "kept", "#f3f4f6", "#a3a7b0", "#2a2c32", "#6d707a"),
}

HEAT_PAINTS: tuple[Paint, ...] = tuple(
    Paint(f"heat-{step}", "", *colors)
    for step, colors in enumerate(
        (
            ("#fff8e6", "#c9b98e", "#2b2a26", "#6b6350"),
            ("#ffecc0", "#c9a35a", "#453b22", "#94793f"),
            ("#ffd68f", "#c58a2b", "#614a1d", "#bd8f3c"),
            ("#ffc078", "#c06d15", "#7d4a16", "#dd9440"),
            ("#ffa26e", "#b24e10", "#974214", "#f09553"),
            ("#fb8364", "#99300f", "#a93219", "#ff9478"),
        )
    )
)

DEVICE_PAINTS: tuple[Paint, ...] = tuple(
    Paint("", "", *colors)
    for colors in (
        ("#bcd4fb", "#3f6fc4", "#234379", "#7ea6ee"),
        ("#ffdcab", "#c07f1f", "#6b4715", "#e3ab5a"),
        ("#c9ecc4", "#4c9a3f", "#28531f", "#83cc75"),
        ("#e2d0f8", "#8459bf", "#4a3173", "#b493e6"),
        ("#ffcdc9", "#cc5a50", "#6e2a25", "#ee8f86"),
        ("#c5ebe6", "#3d8f86", "#1f4f4b", "#6fc2b8"),
        ("#f6c9e4", "#bb4a8e", "#66264d", "#e587bf"),
        ("#fdf3b4", "#b39b1e", "#5b5016", "#d6c25a"),
    )
)

SEVERAL_DEVICES = Paint("device-several", "several devices", "#eef2f8", "#64748b", "#262c37", "#8492a8")
