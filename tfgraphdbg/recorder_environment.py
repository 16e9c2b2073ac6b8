"""The environment variables that TensorFlow must find before it is imported, for the evidence that recorders want."""

from __future__ import annotations

import os
from pathlib import Path


def recorder_environment(folder: Path) -> dict[str, str]:
    """The user's environment and what TensorFlow must find in it before it is imported.

    Pass dumps and their announcements in the log, and the BFC allocator on the CPU, so that memory has events. What
    the user has set stays, except where the dumps depend on it.
    """
    environment = dict(os.environ)
    modules = [environment.get("TF_CPP_VMODULE", ""), "meta_optimizer=4"]
    environment |= {
        "TF_CPP_VMODULE": ",".join(module for module in modules if module),
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_DUMP_GRAPH_PREFIX": str(folder / "dumps"),
        "TF_DUMP_GRAPH_FMT": "BIN",
    }
    environment.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")
    return environment
