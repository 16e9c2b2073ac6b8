"""What the user's code raises -> UserCodeError, told with the user's own frames."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import traceback
from collections.abc import Iterable, Iterator

import tfgraphdbg
from tfgraphdbg.errors import DebuggerError, UserCodeError
from tfgraphdbg.message_words import quoted
from tfgraphdbg.recorders.in_place import missing_tensorflow

FRAME_PATTERN = re.compile(r'( *)File "(.+?)", line \d+')
COLOR_PATTERN = re.compile(r"\x1b\[[0-9;]*m")
FRAMEWORK_PATTERN = re.compile(r"[/\\](?:site|dist)-packages[/\\](tensorflow|keras|tf_keras|keras_hub)[/\\]")
PYTHON_OWN_PATTERN = re.compile(
    r"<frozen (?:importlib|runpy)|[/\\](?:importlib[/\\]\w+|runpy|contextlib|functools|argparse|optparse)\.py$"
)
SHOWN_REPEATS = 3
OWN_FOLDER = os.path.dirname(tfgraphdbg.__file__) + os.sep


@contextlib.contextmanager
def user_code(doing: str) -> Iterator[None]:
    """Run the user's code inside; whatever it raises becomes a UserCodeError that says `doing` and failed."""
    try:
        yield
    except DebuggerError:
        raise
    except SystemExit as error:
        raise exit_error(error, doing) from error
    except Exception as error:
        raise failure_error(error, doing) from error


def exit_error(error: SystemExit, doing: str) -> UserCodeError:
    """The error for a program that ended itself. A text as code is what it printed, and means 1."""
    code = error.code if isinstance(error.code, int) else int(error.code is not None)
    said = f" and said {quoted(error.code, 200)}" if isinstance(error.code, str) else ""
    return UserCodeError(f"{doing} ended the program: it exited with code {code}{said}", detail=user_traceback(error))


def failure_error(error: Exception, doing: str) -> DebuggerError:
    """The error for an exception, with what usually mends it."""
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        return missing_tensorflow()
    hint = ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        hint = f"install {error.name} here, or start tfgraphdbg in the environment in which the program runs"
    elif isinstance(error, ImportError) and "relative import" in str(error):
        hint = "name the module in place of the file, from the folder that holds its package: pkg.module:train_step"
    elif isinstance(error, FileNotFoundError):
        hint = f"relative paths begin at the current folder, {os.getcwd()}"
    return UserCodeError(f"{doing} failed: {headline(error)}", hint, user_traceback(error))


def headline(error: BaseException) -> str:
    """The exception's name and the one line of its message that says most."""
    text = COLOR_PATTERN.sub("", str(error)).strip()
    name = type(error).__name__
    lines = [line for line in text.splitlines() if line.strip()]
    inner = re.findall(r"^ {4}(\w[\w.]*): (.+)$", text, re.MULTILINE)
    if text.startswith("in user code:") and inner:
        # AutoGraph wraps the message of what the user's code raised in the frames of that code.
        name, line = inner[-1]
    elif text.startswith("Graph execution error"):
        # The runtime lists where the op was made before it says what went wrong.
        said = [line for line in lines[1:] if not line.startswith((" ", "\t", "Detected at node"))]
        line = said[0] if said else lines[0]
    elif text.startswith("Exception encountered when calling") and len(lines) > 1:
        line = lines[1]
    else:
        line = lines[0] if lines else ""
    return f"{name}: {quoted(line, 300)[1:-1]}" if line else name


def user_traceback(error: BaseException) -> str:
    """Python's own text of the exception, its causes too, without frames that are not the user's."""
    text = COLOR_PATTERN.sub("", "".join(traceback.format_exception(error)))
    return without_foreign_frames(text)


def without_foreign_frames(text: str) -> str:
    """Drop the frames of this tool and of Python's import, count those of TensorFlow and Keras, fold repeated ones."""
    shown: list[str] = []
    inside: list[str] = []
    indent = ""
    for block, repeats in _folded(_frame_blocks(text)):
        frame = FRAME_PATTERN.match(block)
        owner = _owner(frame[2]) if frame else "user"
        if frame and owner != "user":
            indent = frame[1]
            inside += [owner] * repeats if owner != "tool" else []
            continue
        shown += _counted(inside, indent)
        inside = []
        shown += [block] * min(repeats, SHOWN_REPEATS)
        if repeats > SHOWN_REPEATS and frame:
            shown.append(f"{frame[1]}[Previous frame repeated {repeats - SHOWN_REPEATS} more times]")
        elif repeats > SHOWN_REPEATS:
            shown += [block] * (repeats - SHOWN_REPEATS)
    return "\n".join(shown + _counted(inside, indent)).strip("\n")


def _frame_blocks(text: str) -> Iterator[str]:
    """Each frame with the deeper lines below it, and each other line."""
    block: list[str] = []
    depth = 0
    for line in text.splitlines():
        frame = FRAME_PATTERN.match(line)
        belongs = block and (line.startswith(" " * (depth + 1)) or line.lstrip().startswith("[Previous line"))
        if block and (frame or not (belongs or not line.strip())):
            yield "\n".join(block)
            block = []
        if frame:
            depth = len(frame[1])
        if frame or block:
            block.append(line)
        else:
            yield line
    if block:
        yield "\n".join(block)


def _folded(blocks: Iterable[str]) -> Iterator[tuple[str, int]]:
    for block, equal in itertools.groupby(blocks):
        yield block, sum(1 for _ in equal)


def _owner(file: str) -> str:
    """`user`, `tool` for a frame that nobody needs, or the framework that a frame belongs to."""
    found = FRAMEWORK_PATTERN.search(file)
    if found:
        return found[1]
    if os.path.basename(file).startswith("__autograph_generated_file"):
        # The same code stands in the message, by the user's own lines.
        return "tensorflow"
    return "tool" if file.startswith(OWN_FOLDER) or PYTHON_OWN_PATTERN.search(file) else "user"


def _counted(inside: list[str], indent: str) -> list[str]:
    if not inside:
        return []
    count = "1 frame" if len(inside) == 1 else f"{len(inside)} frames"
    return [f"{indent}... {count} inside {' and '.join(dict.fromkeys(inside))}"]
