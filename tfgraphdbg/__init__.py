"""See what TensorFlow really executes: record, explain and draw the graphs behind `tf.function`.

`record` a call or `watch` a block in place, or `load` a file; `analyze` and `render` what was recorded; `save` it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfgraphdbg.python_api import analyze, as_text, load, record, render, save, watch

__version__ = "0.1.0"

__all__ = ["__version__", "analyze", "as_text", "load", "record", "render", "save", "watch"]


def __getattr__(name: str) -> object:
    # Importing the package must stay cheap: `tfgraphdbg --help` and every recorder begin with it.
    if name in __all__:
        from tfgraphdbg import python_api

        return getattr(python_api, name)
    raise AttributeError(f"module 'tfgraphdbg' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
