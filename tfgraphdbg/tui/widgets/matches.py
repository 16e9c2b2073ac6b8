"""Text with the words of a search marked in it."""

from __future__ import annotations

import re

from rich.segment import Segment
from rich.style import Style


def highlighted(text: str, words: tuple[str, ...], base: Style, mark: Style) -> list[Segment]:
    """`text` as segments in `base`, and in `mark` where one of the lowercase `words` occurs."""
    wanted = "|".join(re.escape(word) for word in words if word)
    if not wanted:
        return [Segment(text, base)]
    pieces = re.split(f"({wanted})", text, flags=re.IGNORECASE)
    return [Segment(piece, mark if place % 2 else base) for place, piece in enumerate(pieces) if piece]
