"""Every form of a target, and what each wrong one is answered with."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from tfgraphdbg.errors import UsageError
from tfgraphdbg.target import TARGET_FORMS, TargetSpec, parse_target


@pytest.fixture(autouse=True)
def _folder_of_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = """
        model.py train.py a:b.py pkg/module.py code/train.py empty/.keep model.keras old.h5 graph.pb graph.pbtxt
        saved/saved_model.pb as_text/saved_model.pbtxt versions/1/saved_model.pb saved:1/saved_model.pb
        run.tfgdbg graph.pb.xz notes.txt work.ipynb net.tflite
    """
    for name in files.split():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"")
    with zipfile.ZipFile("recording.backup", "w") as archive:
        archive.writestr("meta", b"")


GOOD_TARGETS = [
    ("model.py:train_step", {"kind": "function", "path": "model.py", "attribute": "train_step"}),
    ("model.py:trainer.step", {"kind": "function", "path": "model.py", "attribute": "trainer.step"}),
    ("./model.py:größe", {"kind": "function", "path": "./model.py", "attribute": "größe"}),
    ("a:b.py:step", {"kind": "function", "path": "a:b.py", "attribute": "step"}),
    ("pkg.module:train_step", {"kind": "function", "module": "pkg.module", "attribute": "train_step"}),
    ("model:step", {"kind": "function", "module": "model", "attribute": "step"}),
    ("train.py", {"kind": "program", "path": "train.py"}),
    ("a:b.py", {"kind": "program", "path": "a:b.py"}),
    ("saved/", {"kind": "saved_model", "path": "saved/"}),
    ("saved", {"kind": "saved_model", "path": "saved"}),
    ("as_text", {"kind": "saved_model", "path": "as_text"}),
    ("saved/:serving_default", {"kind": "saved_model", "path": "saved/", "signature": "serving_default"}),
    ("saved:serving_default", {"kind": "saved_model", "path": "saved", "signature": "serving_default"}),
    ("saved:1", {"kind": "saved_model", "path": "saved:1"}),
    ("saved:1:2", {"kind": "saved_model", "path": "saved:1", "signature": "2"}),
    ("saved/:odd:signature", {"kind": "saved_model", "path": "saved/", "signature": "odd:signature"}),
    ("model.keras", {"kind": "keras_file", "path": "model.keras"}),
    ("old.h5", {"kind": "keras_file", "path": "old.h5"}),
    ("graph.pb", {"kind": "graph_def", "path": "graph.pb"}),
    ("graph.pbtxt", {"kind": "graph_def", "path": "graph.pbtxt"}),
    ("run.tfgdbg", {"kind": "recording", "path": "run.tfgdbg"}),
    ("recording.backup", {"kind": "recording", "path": "recording.backup"}),
]


@pytest.mark.parametrize(("text", "fields"), GOOD_TARGETS, ids=[text for text, _ in GOOD_TARGETS])
def test_each_form_of_a_target_is_told_from_the_others(text: str, fields: dict[str, str]) -> None:
    assert parse_target(text) == TargetSpec(text, **fields)  # type: ignore[arg-type]


def test_a_program_takes_arguments() -> None:
    assert parse_target("train.py", ["--epochs", "1"]).arguments == ("--epochs", "1")


def test_nothing_else_takes_arguments() -> None:
    with pytest.raises(UsageError, match=r"only a program takes arguments after --, and 'model.py:step' is none"):
        parse_target("model.py:step", ["--epochs", "1"])


BAD_TARGETS = [
    ("", "the target is empty", TARGET_FORMS),
    ("  ", "the target is empty", TARGET_FORMS),
    ("modle.py", "no file 'modle.py'", "did you mean 'model.py'"),
    ("modle.py:step", "no file 'modle.py'", "'model.py:step'"),
    ("pkg/modul.py:step", "no file 'pkg/modul.py'", f"did you mean '{os.path.join('pkg', 'module.py')}:step'?"),
    ("pgk/module.py", "no folder 'pgk', so no 'pgk/module.py'", TARGET_FORMS),
    ("pkg.module", "no file 'pkg.module'", f"did you mean '{os.path.join('pkg', 'module.py')}', or a function of it"),
    ("verzions/", "no file 'verzions/'", "did you mean 'versions'?"),
    ("train_step", "no file 'train_step'", "a function is named together with its file: model.py:train_step"),
    ("nun.tfgdbg", "no file 'nun.tfgdbg'", "did you mean 'run.tfgdbg'?"),
    ("model.py:", "nothing follows the colon of 'model.py:'", "or give the whole program: model.py"),
    ("pkg.module:", "nothing follows the colon of 'pkg.module:'", "name a function: pkg.module:train_step"),
    (":step", "no file or module stands before the colon of ':step'", TARGET_FORMS),
    ("model.py::step", "':step' is not a name or a dotted name", "did you mean 'model.py:step'?"),
    ("model.py:step()", "'step()' is not a name", "did you mean 'model.py:step'?"),
    ("model.py:layers[0]", "'layers[0]' is not a name", "for example model.py:trainer.step"),
    ("model.py:1st", "'1st' is not a name", "for example model.py:trainer.step"),
    ("model.py:a..b", "'a..b' is not a name", "for example model.py:trainer.step"),
    ("saved/:", "nothing follows the colon of 'saved/:'", "leave out the colon: saved/"),
    ("empty/", "the folder 'empty/' holds no saved_model.pb", "a SavedModel folder holds saved_model.pb"),
    ("empty:signature", "the folder 'empty' holds no saved_model.pb", "a SavedModel folder holds saved_model.pb"),
    ("versions", "the folder 'versions' holds no saved_model.pb", f"did you mean '{os.path.join('versions', '1')}'?"),
    ("code", "the folder 'code' holds no saved_model.pb", f"did you mean '{os.path.join('code', 'train.py')}'?"),
    ("saved/saved_model.pb", "'saved/saved_model.pb' is a part of a SavedModel", "name its folder: saved/"),
    ("model.keras:train", "only a Python file or a SavedModel folder has parts to name", "type model.keras"),
    ("graph.pb:node", "only a Python file or a SavedModel folder has parts to name", "type graph.pb"),
    ("graph.pb.xz", "'graph.pb.xz' is compressed", "unpack it first: xz -dk graph.pb.xz"),
    ("notes.txt", "'notes.txt' is no kind of file that can be recorded or opened", TARGET_FORMS),
    ("work.ipynb", "'work.ipynb' is no kind of file", "call tfgraphdbg.record(train_step, x, y) inside it"),
    ("net.tflite", "'net.tflite' is no kind of file", "give the model that it was converted from"),
    ("C:\\work\\model.py", "no file 'C:\\work\\model.py'", "did you mean 'model.py"),
    ("C:\\work\\model.py:step", "no file 'C:\\work\\model.py'", "did you mean 'model.py"),
    ("C:/code/model.py:step", "no folder 'C:/code', so no 'C:/code/model.py'", TARGET_FORMS),
    ("nul\0byte.py", r"no file 'nul\x00byte.py'", TARGET_FORMS),
    ("two\nlines:step", r"no file 'two\nlines'", TARGET_FORMS),
    ("\x1b[31mred\u202e", r"no file '\x1b[31mred\u202e'", TARGET_FORMS),
    ("undecodable\udcff.py:f", r"no file 'undecodable\udcff.py'", TARGET_FORMS),
    ("n" * 5000, "...", "a function is named together with its file"),
    (":" * 3000, "...", TARGET_FORMS),
]


@pytest.mark.parametrize(("text", "message", "hint"), BAD_TARGETS, ids=[repr(text)[:30] for text, _, _ in BAD_TARGETS])
def test_each_wrong_target_says_what_happened_and_what_to_type(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_target(text)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


def test_something_that_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(UsageError, match=r"'pipe.py' is not a regular file"):
        parse_target("pipe.py")
