"""The command line -> parsed arguments. Nothing heavy is imported here: `--help` must answer at once."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from rich_argparse import RawDescriptionRichHelpFormatter

import tfgraphdbg
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.errors import UsageError
from tfgraphdbg.exports import EXPORTS
from tfgraphdbg.views import GRAPH_VIEWS, REPORT_VIEWS

PURPOSE = "See what TensorFlow really executes: record, explain and draw the graphs behind tf.function."

TARGETS_HELP = """\
A target is one of:
  model.py:train_step       a function, tf.function, bound method or callable object
  pkg.module:train_step     the same, by dotted name
  model.py:model            a Keras model (--mode train, test or predict)
  train.py -- --epochs 1    a whole program and its arguments
  saved_model_dir/, model.keras, graph.pb, graph.pbtxt
  run.tfgdbg                a saved recording: nothing runs, TensorFlow is not needed

Example inputs, the first that applies: --input, --inputs-from, train_step_inputs() or example_inputs() in the
module, the function's input_signature, a Keras model's input spec, no inputs.

Exit codes: 0 done, 1 a gate failed, 2 wrong usage, 3 the user's code failed, 4 not a readable recording or model,
5 something is missing on this machine, 124 timed out, 130 interrupted."""


TERMINAL_COLORS = ("auto", "always", "never")

DEFAULT_STEPS = 10
"""Steady runs that are measured where a verb tells of runs."""

PICTURE_COLORS = ("op", "device", "diff")
"""What the colours of a picture can mean, as far as the evidence for it is recorded."""

_PICTURE_COLOR_HELP = "what the picture's colours mean (default: op); auto, always, never: colour of messages"

_DEVICE_MODEL_HELP = (
    "estimate for this device instead: gpu:a100, gpu:h100, ..., cpu:8 for 8 cores like those of the recording, or a "
    "TOML file with clock (MHz), cores, bandwidth (GB/s), peak (billions of operations a second)"
)


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as the one kind of error that `main` knows."""

    def error(self, message: str) -> NoReturn:
        hint = f"see {self.prog} --help"
        if message.startswith("unrecognized arguments"):
            hint = "see tfgraphdbg VERB --help; a program's own arguments come after --, as in train.py -- --epochs 1"
        raise UsageError(message, hint)


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what follows ` -- ` is the program's own. Raises UsageError."""
    words, program_arguments = _split_at_dashes(list(words))
    parser = build_parser()
    arguments = parser.parse_args(words)
    if arguments.verb is None:
        raise UsageError(
            "no verb is given", "start with: tfgraphdbg inspect model.py:train_step (see tfgraphdbg --help)"
        )
    arguments.program_arguments = tuple(program_arguments)
    return arguments


def _split_at_dashes(words: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in words:
        return words, []
    place = words.index("--")
    return words[:place], words[place + 1 :]


def build_parser() -> argparse.ArgumentParser:
    """The parser of every verb; analyses and views come from their registries."""
    parser = _Parser(
        prog="tfgraphdbg",
        description=f"{PURPOSE}\n\n{TARGETS_HELP}",
        formatter_class=RawDescriptionRichHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tfgraphdbg {tfgraphdbg.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser, title="verbs")
    inspect = _verb(verbs, "inspect", "record a target, then browse it in the terminal (or print the overview)", True)
    _add_report_options(inspect)
    record = _verb(verbs, "record", "record a target into a file", True)
    record.add_argument("-o", "--output", metavar="RUN.tfgdbg", required=True, help="the file to write")
    for analysis in ANALYSES:
        verb = _verb(verbs, analysis.name, analysis.summary, analysis.runs_needed)
        _add_report_options(verb)
        if analysis.takes_second_target:
            verb.add_argument("second", nargs="?", metavar="TARGET2", help="compare with this target or recording")
            verb.add_argument("--stage", metavar="STAGE", help="the stage before: traced, lowered, partition:0, ...")
            verb.add_argument("--against", metavar="STAGE", help="the stage after (default: optimized)")
        if analysis.takes_device_model:
            verb.add_argument("--device-model", default="", metavar="MODEL", help=_DEVICE_MODEL_HELP)
    render = _verb(verbs, "render", "draw a graph", False)
    _add_picture_options(render)
    _add_export_options(_verb(verbs, "export", "write another tool's file: perfetto's timeline", True))
    return parser


def _verb(verbs: Any, name: str, summary: str, runs: bool) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{TARGETS_HELP}",
        formatter_class=RawDescriptionRichHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="TARGET", help="what to record, or a recording (see above)")
    _add_recording_options(parser)
    _add_run_options(parser, runs)
    _add_common_options(parser, picture=name == "render")
    return parser


def _add_recording_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("recording")
    group.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="SPEC",
        help="an example input, repeatable: 'float32[32,784]', 'y=int64[32]:randint(0,10)', 'x=@batch.npy'",
    )
    group.add_argument("--inputs-from", metavar="NAME", help="a function of the module that gives the example inputs")
    group.add_argument("--mode", choices=("train", "test", "predict"), help="which step of a Keras model")
    group.add_argument(
        "--batch", type=_positive, metavar="N", help="batch size of inputs made from a model's input spec"
    )
    group.add_argument(
        "--seed", type=_natural, metavar="N", help="make random inputs and TensorFlow's seeds repeatable"
    )
    group.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PASS",
        help="switch this pass of Grappler off, repeatable: remapper, layout, constant_folding ...",
    )
    group.add_argument(
        "--only", action="append", default=[], metavar="PASS", help="switch all passes off but this one, repeatable"
    )
    group.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="stop the recording after this long")
    group.add_argument("--save", metavar="RUN.tfgdbg", help="keep the recording in this file")
    group.add_argument("--function", metavar="NAME", help="the function that is shown first, of several")


def _add_run_options(parser: argparse.ArgumentParser, runs: bool) -> None:
    group = parser.add_argument_group("measuring")
    parser.set_defaults(runs=runs)
    without = " (default here: none, since graphs are enough)"
    group.add_argument(
        "--steps",
        type=_natural,
        metavar="N",
        help=f"steady runs to measure op by op, 0 for none{f' (default: {DEFAULT_STEPS})' if runs else without}",
    )
    group.add_argument(
        "--eager",
        action=argparse.BooleanOptionalAction,
        help=f"call the function eagerly as well, and compare (default{'' if runs else ' here'}: "
        f"{'yes' if runs else 'no'})",
    )


def _add_common_options(parser: argparse.ArgumentParser, picture: bool) -> None:
    group = parser.add_argument_group("messages")
    if picture:
        colors = (*PICTURE_COLORS, *TERMINAL_COLORS)
        group.add_argument("--color", choices=colors, default="op", metavar="|".join(colors), help=_PICTURE_COLOR_HELP)
    else:
        group.add_argument("--color", choices=TERMINAL_COLORS, default="auto", help="default: auto")
    loudness = group.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="no progress, only errors")
    loudness.add_argument("-v", "--verbose", action="store_true", help="also what the program and TensorFlow printed")


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    formats = [view.format for view in REPORT_VIEWS]
    group.add_argument("-f", "--format", metavar="|".join(formats), help="default: by -o's extension, else text")
    group.add_argument("-o", "--output", metavar="FILE", help="write here instead of to stdout")
    group.add_argument(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="never",
        help="exit with 1 when a finding is at least this severe (default: never)",
    )


def _add_picture_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("picture")
    formats = "|".join(view.format for view in GRAPH_VIEWS)
    group.add_argument("-o", "--output", metavar="FILE", help=f"the file to draw; its extension chooses {formats}")
    group.add_argument("-f", "--format", metavar=formats, help="default: by -o's extension, else dot")
    group.add_argument("--stage", metavar="STAGE", help="traced, optimized, partition:0, ... (default: optimized)")
    group.add_argument("--focus", default="", metavar="NODE", help="only ops around this one (see --hops)")
    group.add_argument("--hops", type=_natural, default=2, metavar="N", help="how far around --focus (default: 2)")
    group.add_argument("--scope", default="", metavar="PREFIX", help="only ops in this name scope")
    group.add_argument("--path", nargs=2, metavar=("A", "B"), help="only ops on a path between these two")
    group.add_argument("--depth", type=_natural, metavar="N", help="how many levels of scopes are open")


def _add_export_options(verb: argparse.ArgumentParser) -> None:
    group = verb.add_argument_group("output")
    tools = "; ".join(f"{export.name}: {export.summary}" for export in EXPORTS)
    group.add_argument("--to", choices=[export.name for export in EXPORTS], required=True, help=tools)
    endings = ", ".join(extension for export in EXPORTS for extension in export.extensions)
    group.add_argument(
        "-o", "--output", metavar="FILE", help=f"write here ({endings}; .gz packs it) instead of to stdout"
    )


def _positive(text: str) -> int:
    number = _natural(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return number


def _natural(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
