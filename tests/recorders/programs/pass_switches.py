"""Runs one function with each Grappler pass switched off in turn, and prints which passes the runtime ran, as JSON.

Arguments: the log that the runtime writes, and what to switch: `without` or `only`. The environment asks for its dumps.
"""

import json
import os
import re
import sys
from pathlib import Path

LOG = Path(sys.argv[1])
os.dup2(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)

import tensorflow as tf  # noqa: E402

from tfgraphdbg.pass_switches import PASSES, PassSwitches  # noqa: E402
from tfgraphdbg.recorders.grappler_options import GrapplerOptions  # noqa: E402
from tfgraphdbg.recorders.python_stacks import LibraryPaths  # noqa: E402
from tfgraphdbg.recorders.recording_writer import RecordingWriter  # noqa: E402
from tfgraphdbg.recording import TargetInfo  # noqa: E402
from tfgraphdbg.recording_file import MemoryParts  # noqa: E402

RAN = re.compile(r"after_MetaOptimizer_iteration_\d+_([a-z]\w*?)(?:\{\S*)?_\d{6,}(?:_\d+)?\.")
RAN_LAST = re.compile(r"\] (scoped_allocator_optimizer): Graph size")


def dense(x):
    weights = tf.ones([8, 8])
    return tf.nn.relu(x @ weights) + tf.nn.relu(x @ weights) * (2.0 * 3.0)


def ran_with(switches):
    """The passes of one run of a new tf.function."""
    before = LOG.stat().st_size
    options = GrapplerOptions(
        switches, RecordingWriter(TargetInfo("dense", "function"), MemoryParts(), LibraryPaths([]))
    )
    with options.in_force():
        tf.function(dense)(tf.ones([8, 8]))
    text = LOG.read_bytes()[before:].decode()
    return sorted({*RAN.findall(text), *RAN_LAST.findall(text)})


found = {"": ran_with(PassSwitches())}
for known in PASSES:
    if known.name != "autoparallel" or sys.argv[2] == "without":
        found[known.name] = ran_with(PassSwitches(**{sys.argv[2]: (known.name,)}))
found["after"] = ran_with(PassSwitches())
sys.stdout.write(json.dumps(found))
