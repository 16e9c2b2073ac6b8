"""Recording -> which Grappler passes were on, and who decided: TensorFlow, the program, the environment or the user."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tfgraphdbg.message_words import listed, quoted
from tfgraphdbg.pass_switches import META_OPTION, NUMBER_OPTIONS, PASSES, GrapplerPass, pass_named
from tfgraphdbg.recording import Recording
from tfgraphdbg.report import Cell, Column, Finding, Table

_DEFAULT = "default"
_SETTER = "tf.config.optimizer"
_ENVIRONMENT = "environment"

_COLUMNS = (Column("pass"), Column("state"), Column("from"), Column("note"))

_Group = Mapping[str, str]


class _Effect(NamedTuple):
    """An environment variable (its name, or how its name begins) and the passes that it changes."""

    variable: str
    passes: tuple[str, ...]
    effect: str


_MIXED = ("auto_mixed_precision", "auto_mixed_precision_onednn_bfloat16", "auto_mixed_precision_cpu")

_EFFECTS = (
    _Effect("TF_ENABLE_ONEDNN_OPTS", ("remapper", "auto_mixed_precision_onednn_bfloat16"), "decides what it fuses"),
    _Effect("TF_CUDNN_USE_RUNTIME_FUSION", ("remapper",), "lets it fuse more on a GPU"),
    _Effect("TF_AUTO_MIXED_PRECISION_GRAPH_REWRITE_", _MIXED, "decides which ops it changes"),
)
"""Variables that Grappler's passes read; XLA's flags are read apart, since only one of them matters."""

_AUTO_JIT = re.compile(r"-tf_xla_auto_jit=(?:(?P<level>-?\d+)|(?P<single>single-gpu)\S*|(?P<fusible>fusible))")


def pass_options_table(recording: Recording) -> Table:
    """One row a pass, in the order in which Grappler runs them; none where nothing ran."""
    options = recording.meta.options
    rows: tuple[tuple[Cell, ...], ...] = ()
    if options.get("grappler"):
        rows = (_meta_row(options), *(_row(known, options) for known in PASSES))
    return Table("options", "Grappler's passes: which are on, and who decided", _COLUMNS, rows)


def pass_option_findings(recording: Recording) -> tuple[Finding, ...]:
    """Passes that were switched off for the recording, and settings of the program that did not do what they say."""
    return (*_switched(recording), *_undone(recording), *_changed(recording), *_ignored(recording))


def _meta_row(options: Mapping[str, _Group]) -> tuple[Cell, ...]:
    grappler = options["grappler"]
    numbers = [f"{name}={grappler[name]}" for name in NUMBER_OPTIONS if grappler.get(name, _DEFAULT) != _DEFAULT]
    state, origin = _state_and_origin("", META_OPTION, options)
    return "meta_optimizer", state, origin, "; ".join(["runs the passes, in two rounds", *numbers])


def _row(known: GrapplerPass, options: Mapping[str, _Group]) -> tuple[Cell, ...]:
    """Where Grappler is off no pass is on, whatever its own option says."""
    meta_state, meta_origin = _state_and_origin("", META_OPTION, options)
    state, origin = (
        (meta_state, meta_origin) if meta_state == "off" else _state_and_origin(known.name, known.option, options)
    )
    return known.name, state, origin, "; ".join([known.does, *_remarks(known, options)])


def _state_and_origin(name: str, option: str, options: Mapping[str, _Group]) -> tuple[str | None, str | None]:
    value = options["grappler"].get(option)
    if value is None:
        return None, None
    origin = options.get("grappler-from", {}).get(option, _DEFAULT if value == _DEFAULT else _SETTER)
    if name == "memory_optimizer" and value == _DEFAULT:
        off_by = _auto_jit(options)
        if off_by:
            return "off", off_by
    if value == _DEFAULT:
        known = pass_named(name)
        return ("on" if known is None or known.is_on else "off"), origin
    if value in ("True", "False"):
        return ("on" if (value == "True") is not option.startswith("disable_") else "off"), origin
    return f"on: {value}", origin


def _auto_jit(options: Mapping[str, _Group]) -> str:
    """Who has XLA compile whatever it can, which switches the default memory_optimizer off; empty for nobody.

    As `xla_config_registry::GetGlobalJitLevel` decides it, flags before `set_jit`; seen with TensorFlow 2.21.0.
    """
    asked = options.get("execution", {}).get("jit") == "True"
    found = list(_AUTO_JIT.finditer(options.get(_ENVIRONMENT, {}).get("TF_XLA_FLAGS", "")))
    flag = found[-1] if found else None
    if flag is not None and (flag["fusible"] or int(flag["level"] or 0) > 0):
        return _ENVIRONMENT
    return _SETTER if asked and (flag is None or int(flag["level"] or 0) == 0) else ""


def _remarks(known: GrapplerPass, options: Mapping[str, _Group]) -> Iterator[str]:
    before = options.get("grappler-first-run", {}).get(known.option)
    if before is not None:
        yield f"its option was {before} when functions first ran"
    if known.name == "memory_optimizer" and _auto_jit(options):
        yield "off by default where XLA compiles what it can"
    for variable, value in options.get(_ENVIRONMENT, {}).items():
        for effect in _EFFECTS:
            if variable.startswith(effect.variable) and known.name in effect.passes:
                yield f"{variable}={value} {effect.effect}"


def _switched(recording: Recording) -> Iterator[Finding]:
    for origin, names in recording.meta.options.get("grappler-switches", {}).items():
        passes = names.split(",")
        off = f"off: {listed(passes)}" if origin == "--without" else f"off but for {listed(passes)}"
        yield Finding(
            rule="passes-switched-off",
            severity="info",
            message=f"recorded with Grappler's passes switched {off}",
            evidence={"option": origin, "passes": passes},
            suggestion=f"leave {origin} out to record what the program runs by itself",
        )


def _undone(recording: Recording) -> Iterator[Finding]:
    """Options that the program set, and that `--without` or `--only` hold at another value."""
    options = recording.meta.options
    for option, value in options.get("grappler-program", {}).items():
        origin = options.get("grappler-from", {}).get(option, "")
        held = options.get("grappler", {}).get(option, "")
        known = pass_named(option)
        if origin in ("--without", "--only") and known is not None and _is_on(value, known) != _is_on(held, known):
            on = "on" if _is_on(value, known) else "off"
            yield Finding(
                rule="pass-option-undone",
                severity="info",
                message=f"the program switches {known.name} {on}, and {origin} has the last word",
                evidence={"option": option, "program": value, "in_force": held},
                suggestion=f"leave {origin} out to record with the program's own setting",
            )


def _is_on(value: str, known: GrapplerPass) -> bool:
    return known.is_on if value == _DEFAULT else (value == "True") is not known.option_disables


def _changed(recording: Recording) -> Iterator[Finding]:
    """TensorFlow optimizes a function anew when options change, and the recording has only the first time."""
    options = recording.meta.options
    earlier = options.get("grappler-first-run", {})
    if earlier:
        yield Finding(
            rule="pass-option-changed",
            severity="info",
            message=f"the program changed {listed(earlier)} after functions had run",
            evidence={name: f"{value}, then {options['grappler'].get(name)}" for name, value in earlier.items()},
            suggestion="set options before the first call: a function that has run is optimized again",
        )


def _ignored(recording: Recording) -> Iterator[Finding]:
    options = recording.meta.options
    known = {*options.get("grappler", {}), META_OPTION, *NUMBER_OPTIONS} - _NOT_IN_SETTER
    unknown = [name for name in options.get("grappler-program", {}) if name not in known]
    if unknown:
        yield Finding(
            rule="pass-option-ignored",
            severity="info",
            message=f"tf.config.optimizer has no option {listed(map(quoted, unknown))}, and ignores it",
            evidence={"options": unknown},
            suggestion="see tf.config.optimizer.set_experimental_options for the options that there are",
        )


_NOT_IN_SETTER = {
    "common_subgraph_elimination",
    "memory_optimization",
    "auto_parallel",
    "auto_mixed_precision_cpu",
    "disable_tfg_optimizer",
    "meta_optimizer_iterations",
}
"""Options that only a ConfigProto has."""
