"""What a saved recording needs: no TensorFlow, no Textual, and networkx only for who asks for `.nx`.

In a process of its own, since import-linter sees which imports are written and not which are reached.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.timed_recordings import packed_with_times
from tfgraphdbg.recording_file import save

ROOT = Path(__file__).parent.parent.parent

HEAVY = ("tensorflow", "keras", "textual", "networkx", "rustworkx", "numpy")

IMPORT_EVERYTHING = """
import importlib, pkgutil
import tfgraphdbg, tfgraphdbg.analyses, tfgraphdbg.exports, tfgraphdbg.views
for package in (tfgraphdbg, tfgraphdbg.analyses, tfgraphdbg.exports, tfgraphdbg.views):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not module.ispkg and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""

READ_A_RECORDING = """
from tfgraphdbg import recording_file
from tfgraphdbg.analyses import ANALYSES
from tfgraphdbg.analyses.contract import AnalysisOptions
recording = recording_file.load(sys.argv[1])
for analysis in ANALYSES:
    assert analysis.run(recording, AnalysisOptions()).tables
graph = recording.graph("traced")
graph.check()
assert graph.topological_order and graph.scopes and graph.consumers
"""

USE_NETWORKX = """
from tfgraphdbg import recording_file
assert recording_file.load(sys.argv[1]).graph("traced").nx
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hygiene") / "run.tfgdbg"
    save(packed_with_times(), path)
    return path


def heavy_modules_after(code: str, saved: Path) -> list[str]:
    """Which of the heavy modules a fresh process has loaded after running `code`."""
    ask = f"import sys, json\n{code}\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", ask, str(saved)], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_importing_everything_but_recorders_and_the_ui_loads_nothing_heavy(saved: Path) -> None:
    assert heavy_modules_after(IMPORT_EVERYTHING, saved) == []


def test_a_recording_is_read_and_analyzed_without_anything_heavy(saved: Path) -> None:
    assert heavy_modules_after(READ_A_RECORDING, saved) == []


def test_networkx_comes_with_the_first_graph_that_is_asked_for(saved: Path) -> None:
    assert "networkx" in heavy_modules_after(USE_NETWORKX, saved)
