"""Grappler's options during a recording: switches that the program cannot undo, and who set which option."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tfgraphdbg.pass_switches import META_OPTION, NEEDS_ARITHMETIC, NUMBER_OPTIONS, PASSES, GrapplerPass, PassSwitches
from tfgraphdbg.recorders import rewriter_config
from tfgraphdbg.recorders.recording_writer import RecordingWriter

OptionGroups = dict[str, dict[str, str]]

DEFAULT = "default"

_WORDS = {"ON": str(True), "OFF": str(False), "NO_MEM_OPT": str(False), "EXPERIMENTAL_MLIR": str(False)}
"""TensorFlow's values as `tf.config.optimizer` tells them; the last one means a pass that it lacks."""

_ARITHMETIC = "arithmetic_optimization"


class GrapplerOptions:
    """Applies switches to all that runs in this process, and tells the options in force and where they are from."""

    def __init__(self, switches: PassSwitches, writer: RecordingWriter) -> None:
        self._switches = switches
        self._writer = writer
        self._at_first_run: dict[str, str] | None = None

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """While open, the switches come last: what the program sets through `tf.config.optimizer` cannot undo them."""
        # At once: a program that crashes later must not leave what looks like an ordinary recording.
        self._writer.update(options={**self._writer.meta.options, **self._asked()})
        change = self._apply if self._switches.origin else None
        with rewriter_config.watched_rewriter_config(change, self._before_program_sets):
            yield

    def groups(self) -> OptionGroups:
        """Groups of `RecordingMeta.options`, while in force.

        `grappler`: every option as it is at the end. `grappler-from`: who set it. `grappler-program`: what the program
        set, whether or not it counts. `grappler-first-run`: options that had another value when functions first ran.
        `grappler-switches`: what `--without` or `--only` asked for.
        """
        now = _options_in_force()
        program = _program_options()
        first = self._at_first_run or now
        earlier = {name: value for name, value in first.items() if value != now[name]}
        origins = {name: self._origin(name, value, program) for name, value in now.items()}
        groups = {
            "grappler": now,
            "grappler-from": origins,
            "grappler-program": program,
            "grappler-first-run": earlier,
        }
        return {**{name: group for name, group in groups.items() if group}, **self._asked()}

    def _asked(self) -> OptionGroups:
        names = self._switches.without or self._switches.only
        return {"grappler-switches": {self._switches.origin: ",".join(names)}} if names else {}

    def _before_program_sets(self) -> None:
        if self._at_first_run is None and any(tracing.calls for tracing in self._writer.tracings):
            self._at_first_run = _options_in_force()

    def _origin(self, option: str, value: str, program: dict[str, str]) -> str:
        switched = any(known.option == option and self._switches.wanted(known) is not None for known in PASSES)
        if switched or (self._switches.only and option == META_OPTION):
            return self._switches.origin
        if option == NEEDS_ARITHMETIC and value == str(False):
            return self._origin(_ARITHMETIC, str(False), program)
        if option in program:
            return "tf.config.optimizer"
        if value == DEFAULT:
            return DEFAULT
        return "tf.distribute" if option == "scoped_allocator_optimization" else "ConfigProto"

    def _apply(self, config: Any) -> None:
        """Change a RewriterConfig as the switches ask."""
        off = {known.option for known in PASSES if self._switches.wanted(known) is False}
        for known in PASSES:
            wanted = self._switches.wanted(known)
            if wanted is not None:
                _switch(config, known, wanted)
        if self._switches.only:
            config.disable_meta_optimizer = False
        if _ARITHMETIC in off and NEEDS_ARITHMETIC in off:
            # The MetaOptimizer runs nothing at all where each option that it looks at is off, and it does not look at
            # those of tfg_optimizer and implementation_selector. The default of this one keeps it running, and the
            # pass needs arithmetic_optimization too, so it stays off (meta_optimizer.cc, seen on 2.21.0).
            config.common_subgraph_elimination = config.DEFAULT
        elif _ARITHMETIC in off:
            # Off would take common_subgraph_elimination along; this value means a pass that TensorFlow lacks.
            config.arithmetic_optimization = config.EXPERIMENTAL_MLIR


def _switch(config: Any, known: GrapplerPass, on: bool) -> None:
    if known.option_disables:
        setattr(config, known.option, not on)
    elif known.option == "memory_optimization":
        config.memory_optimization = config.DEFAULT_MEM_OPT if on else config.NO_MEM_OPT
    elif known.option == "auto_parallel":
        config.auto_parallel.enable = on
    elif not on:
        setattr(config, known.option, config.OFF)
    elif getattr(config, known.option) in (config.OFF, config.DEFAULT):
        setattr(config, known.option, config.DEFAULT if known.is_on else config.ON)


def _options_in_force() -> dict[str, str]:
    config = rewriter_config.config_in_force()
    names = (*(known.option for known in PASSES), META_OPTION, *NUMBER_OPTIONS)
    # Older versions of TensorFlow lack some.
    found = {name: _value(config, name) for name in names if hasattr(config, name)}
    if config.arithmetic_optimization == config.OFF:
        found[NEEDS_ARITHMETIC] = str(False)
    return found


def _program_options() -> dict[str, str]:
    """Switches as True or False, whatever stands for it; None leaves an option as it was."""
    switches = {known.option for known in PASSES} | {META_OPTION}
    return {
        str(name): str(bool(value) if name in switches else value)
        for name, value in rewriter_config.program_optimizer_options().items()
        if value is not None
    }


def _value(config: Any, name: str) -> str:
    """`default`, `True`, `False`, or TensorFlow's own word in lower case."""
    value = config.auto_parallel.enable if name == "auto_parallel" else getattr(config, name)
    if not value:
        return DEFAULT
    field = config.DESCRIPTOR.fields_by_name[name]
    if field.enum_type is None:
        return str(True) if value is True else str(value)
    word: str = field.enum_type.values_by_number[value].name
    return _WORDS.get(word, word.lower())
