"""The process that optimizes functions again: the runtime prepares their calls, and dumps what its passes did.

`replayed_passes` starts it as `python -m tfgraphdbg.recorders.grappler_replay FOLDER`, because TensorFlow's dumps can
only be switched on before it is imported. Nothing of the user's program runs in it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from tfgraphdbg.recorders.function_instantiation import CallSpec, prepare

REQUEST_FILE = "request"


class ReplayCall(msgspec.Struct, frozen=True, array_like=True):
    """One call to prepare, with the library functions that it needs, as FunctionDefs."""

    call: CallSpec
    library: tuple[bytes, ...]


class ReplayRequest(msgspec.Struct, frozen=True, array_like=True):
    """What the process is asked for, and what it must share with the one that asks."""

    calls: tuple[ReplayCall, ...]
    tensorflow: str
    """The version: another one optimizes in another way."""
    cpus: int
    """How many logical CPU devices there are."""
    deterministic: bool


class ReplayAnswer(msgspec.Struct, frozen=True, array_like=True):
    """One line of the process's output: a function was prepared, or why it, or all (empty name), was not."""

    function: str
    problem: str = ""


def main() -> None:
    """Serve the request that lies in the folder."""
    answers = os.dup(1)
    # What libraries print while they are imported is no answer.
    os.dup2(2, 1)
    request = msgspec.msgpack.decode((Path(sys.argv[1]) / REQUEST_FILE).read_bytes(), type=ReplayRequest)
    try:
        _become_like(request)
    except Exception as error:
        _answer(answers, ReplayAnswer("", _reason(error)))
        return
    for replay in request.calls:
        try:
            prepare(replay.call, replay.library)
        except Exception as error:
            _answer(answers, ReplayAnswer(replay.call.name, _reason(error)))
        else:
            _answer(answers, ReplayAnswer(replay.call.name))


def _become_like(request: ReplayRequest) -> None:
    import tensorflow as tf

    if tf.__version__ != request.tensorflow:
        raise RuntimeError(f"a new process imports TensorFlow {tf.__version__}, and this is {request.tensorflow}")
    cpus = tf.config.list_physical_devices("CPU")
    if request.cpus != 1:
        tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * request.cpus)
    if request.deterministic:
        tf.config.experimental.enable_op_determinism()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _answer(descriptor: int, answer: ReplayAnswer) -> None:
    os.write(descriptor, msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    # All is dumped, and TensorFlow takes a while to take itself down.
    os._exit(0)
