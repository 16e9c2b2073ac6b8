"""Grappler's passes as data: the option that each obeys, what it does, and the words of `--without` and `--only`.

Names and order are those of TensorFlow's `meta_optimizer.cc`; each switch was seen to work on 2.21.0, but for passes
that its CPU build lacks: oneDNN's bfloat16, and those of plugged-in devices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted


class GrapplerPass(NamedTuple):
    """One pass: its name in the runtime's log, and the field of RewriterConfig that switches it."""

    name: str
    option: str
    does: str
    is_on: bool = True
    """Whether it runs when nobody says anything."""
    also: tuple[str, ...] = ()
    """Other names that people or TensorFlow give it."""

    @property
    def option_disables(self) -> bool:
        """Whether its option is true when the pass is off: `disable_model_pruning`."""
        return self.option.startswith(DISABLES)


DISABLES = "disable_"

PASSES = (
    GrapplerPass("model_pruner", "disable_model_pruning", "drops ops that no result needs", also=("pruning",)),
    GrapplerPass("tfg_optimizer", "disable_tfg_optimizer", "infers shapes and moves ops into branches, in MLIR"),
    GrapplerPass("implementation_selector", "implementation_selector", "chooses a function's body for the device"),
    GrapplerPass("function_optimizer", "function_optimization", "specializes and inlines calls", also=("function",)),
    GrapplerPass("common_subgraph_elimination", "common_subgraph_elimination", "merges equal ops", also=("cse",)),
    GrapplerPass("debug_stripper", "debug_stripper", "drops asserts, prints and checks of numbers", False),
    GrapplerPass("constant_folding", "constant_folding", "computes what is constant", also=("constfold",)),
    GrapplerPass("shape_optimizer", "shape_optimization", "simplifies computations of shapes", also=("shape",)),
    GrapplerPass(
        "auto_mixed_precision",
        "auto_mixed_precision",
        "computes in float16 where that is safe",
        False,
        ("auto_mixed_precision_onednn_float16",),
    ),
    GrapplerPass(
        "auto_mixed_precision_onednn_bfloat16",
        "auto_mixed_precision_onednn_bfloat16",
        "computes in bfloat16 where that is safe, with oneDNN",
        False,
    ),
    GrapplerPass(
        "auto_mixed_precision_mkl",
        "auto_mixed_precision_mkl",
        "the former name of auto_mixed_precision_onednn_bfloat16",
        False,
    ),
    GrapplerPass("auto_mixed_precision_cpu", "auto_mixed_precision_cpu", "emulates mixed precision on the CPU", False),
    GrapplerPass("pin_to_host_optimizer", "pin_to_host_optimization", "moves small ops to the CPU", False),
    GrapplerPass("arithmetic_optimizer", "arithmetic_optimization", "rewrites arithmetic and shuffles of data"),
    GrapplerPass("layout", "layout_optimizer", "chooses NHWC or NCHW, and adds transposes"),
    GrapplerPass("remapper", "remapping", "fuses ops, such as Conv2D + BiasAdd + Relu", also=("remap",)),
    GrapplerPass("loop_optimizer", "loop_optimization", "drops dead branches, and what loops keep for nothing"),
    GrapplerPass("dependency_optimizer", "dependency_optimization", "drops control edges, identities and no-ops"),
    GrapplerPass("memory_optimizer", "memory_optimization", "reorders, recomputes or swaps out to save memory"),
    GrapplerPass("autoparallel", "auto_parallel", "copies the graph for several GPUs", False),
    GrapplerPass(
        "scoped_allocator_optimizer",
        "scoped_allocator_optimization",
        "puts inputs of collectives side by side in memory",
        False,
    ),
    GrapplerPass("plugin_optimizers", "use_plugin_optimizers", "passes that a plugged-in device brings"),
)
"""In the order in which Grappler runs them."""

META_OPTION = "disable_meta_optimizer"
"""Switches all of Grappler off."""

NUMBER_OPTIONS = ("min_graph_nodes", "meta_optimizer_iterations")
"""How Grappler runs its passes: the least ops that a graph must have, and how often."""

NEEDS_ARITHMETIC = "common_subgraph_elimination"
"""The pass that TensorFlow runs only where `arithmetic_optimization` is not off, whatever its own option says."""

_NO_PASSES = {
    "meta_optimizer": "it runs the passes, and its own edits come with any of them",
    "lower_functional_ops": "it lowers loops and branches before Grappler begins",
    "inline_function_calls": "it inlines calls before Grappler begins",
    "placer": "it gives ops their devices before Grappler begins",
}
"""What users may see at work and take for a pass."""

_NEVER_ALONE = {"autoparallel": "TensorFlow runs it only in a session that asks for replicas"}
"""Passes that are never on in a tf.function, so that there is nothing to leave on."""


class PassSwitches(NamedTuple):
    """What `--without` or `--only` ask for, as pass names; both empty: nothing."""

    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The option that asked: `--without`, `--only` or nothing."""
        return "--without" if self.without else "--only" if self.only else ""

    def wanted(self, grappler_pass: GrapplerPass) -> bool | None:
        """Whether the pass shall run; None: as the program and TensorFlow have it."""
        if self.only:
            return grappler_pass.name in self.only
        return False if grappler_pass.name in self.without else None


def parse_switches(without: Sequence[str], only: Sequence[str]) -> PassSwitches:
    """Read what the two options were given: names of passes or of their options, also lists with commas.

    Raises UsageError for an unknown name, for what is no switchable pass, and when both are given.
    """
    if without and only:
        raise UsageError(
            "--without and --only contradict each other",
            "use one: --without PASS leaves the other passes as they are, --only PASS switches all others off",
        )
    switches = PassSwitches(_names(without, "--without"), _names(only, "--only"))
    for name in switches.only:
        if name in _NEVER_ALONE:
            raise UsageError(f"{name} cannot be switched on: {_NEVER_ALONE[name]}", _choices())
    return switches


def pass_named(word: str) -> GrapplerPass | None:
    """The pass that a word means: its name, its option or another name of it."""
    wanted = word.lower().partition("{")[0]
    return next((known for known in PASSES if wanted in (known.name, known.option, *known.also)), None)


def _names(given: Iterable[str], option: str) -> tuple[str, ...]:
    """Each pass once, in Grappler's order."""
    words = [word.strip() for text in given for word in text.split(",")]
    if "" in words:
        raise UsageError(f"{option} needs the name of a pass", _choices())
    found = {_required(word, option).name for word in words}
    return tuple(known.name for known in PASSES if known.name in found)


def _required(word: str, option: str) -> GrapplerPass:
    known = pass_named(word)
    if known is not None:
        return known
    if word in _NO_PASSES:
        raise UsageError(f"{word} is no pass that can be switched: {_NO_PASSES[word]}", _choices())
    names = {name for known in PASSES for name in (known.name, known.option, *known.also)}
    near = dict.fromkeys(found.name for name in close_matches(word, names) if (found := pass_named(name)))
    hint = f"did you mean {' or '.join(f'{option} {name}' for name in near)}?\n" if near else ""
    raise UsageError(f"no Grappler pass {quoted(word)}", hint + _choices())


def _choices() -> str:
    return f"passes: {listed((known.name for known in PASSES), most=len(PASSES))}"
