"""The RewriterConfig that functions run with: read, and changed behind TensorFlow's own setter.

The only user of these private parts of TensorFlow's eager context; seen on 2.21.0.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def watched_rewriter_config(
    change: Callable[[Any], None] | None, before_program_sets: Callable[[], None]
) -> Iterator[None]:
    """While open, `change` has the last word on the RewriterConfig of all functions that are called or traced.

    `before_program_sets()` runs before each `tf.config.optimizer.set_experimental_options`. The options of a call are
    made once a thread and kept until that thread sets some: those of threads that have called functions already stay.
    """
    from tensorflow.python.eager import context

    kind: Any = context.Context
    config, set_options = kind.config, kind.set_optimizer_experimental_options

    def changed_config(self: Any) -> Any:
        made = config.fget(self)
        if change is not None:
            change(made.graph_options.rewrite_options)
        return made

    def observed_set(self: Any, options: Any) -> None:
        before_program_sets()
        set_options(self, options)

    kind.config, kind.set_optimizer_experimental_options = property(changed_config), observed_set
    _forget_call_options()
    try:
        yield
    finally:
        kind.config, kind.set_optimizer_experimental_options = config, set_options
        _forget_call_options()


def _forget_call_options() -> None:
    from tensorflow.python.eager import context

    eager_context = context.context_safe()
    if eager_context is not None:
        eager_context.function_call_options = None


def config_in_force() -> Any:
    """The RewriterConfig that a call from this thread would run with."""
    from tensorflow.python.eager import context

    return context.context().config.graph_options.rewrite_options


def program_optimizer_options() -> dict[str, Any]:
    """What was set through `tf.config.optimizer`, and nothing else: its own getter tells some defaults too."""
    from tensorflow.python.eager import context

    return dict(context.context()._optimizer_experimental_options)
