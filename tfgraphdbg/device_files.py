"""A TOML file that describes a device -> its speeds.

type = "cpu"        # or "gpu"; cpu when it is left out
clock = 3000        # MHz
cores = 16          # of a GPU: CUDA cores
bandwidth = 80      # GB a second, to and from main memory
peak = 1500         # billions of operations a second; when it is left out, cores x clock (twice that on a GPU)
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tfgraphdbg.cost_estimates import OPERATIONS_A_CYCLE, DeviceKind, DeviceSpeed
from tfgraphdbg.errors import UsageError
from tfgraphdbg.message_words import close_matches, listed, quoted

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NUMBERS = ("clock", "cores", "bandwidth", "peak")

TEXTS = ("name", "type")

LARGEST = 1e12


def device_from_file(path: str) -> DeviceSpeed:
    """Read the file. Raises UsageError that names what is wrong in it."""
    told = _table(path)
    kind = _kind(told, path)
    numbers = {key: _number(key, told[key], path) for key in NUMBERS if key in told}
    name = told.get("name", Path(path).stem)
    if not isinstance(name, str):
        raise UsageError(f"{path}: name is {_shown(name)}, which is no text", 'write it as name = "my machine"')
    if "bandwidth" not in numbers:
        raise UsageError(f"{path}: bandwidth is missing", "add bandwidth = 80, in GB a second")
    cores, clock = numbers.get("cores", 0.0), numbers.get("clock", 0.0)
    peak = numbers.get("peak") or cores * clock * OPERATIONS_A_CYCLE[kind] / 1e3
    if not peak:
        lacking = " and ".join(key for key in ("clock", "cores") if key not in numbers)
        raise UsageError(
            f"{path}: {lacking} missing, and peak too", "add clock = 3000 (MHz) and cores = 16, or peak = 1500"
        )
    return DeviceSpeed(f"{kind} {name}", kind, peak, numbers["bandwidth"], int(cores), clock)


def _table(path: str) -> Mapping[str, object]:
    try:
        table: Mapping[str, object] = tomllib.loads(Path(path).read_bytes().decode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the device model {path}: {error.strerror}", "name a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no TOML file: {error}", "write lines such as clock = 3000") from error
    unknown = next((key for key in table if key not in (*NUMBERS, *TEXTS)), None)
    if unknown is not None:
        close = close_matches(unknown, (*NUMBERS, *TEXTS), 1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise UsageError(f"{path}: there is no key {quoted(unknown)}", f"{meant}keys: {listed((*NUMBERS, *TEXTS))}")
    return table


def _kind(told: Mapping[str, object], path: str) -> DeviceKind:
    named = told.get("type", "cpu")
    if named == "gpu":
        return "GPU"
    if named != "cpu":
        raise UsageError(f"{path}: type is {_shown(named)}", 'write type = "cpu" or type = "gpu"')
    return "CPU"


def _number(key: str, value: object, path: str) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
    if 0 < number <= LARGEST and (key != "cores" or number % 1 == 0):
        return float(number)
    wanted = "a whole number above 0" if key == "cores" else "a number above 0"
    raise UsageError(f"{path}: {key} is {_shown(value)}, which is not {wanted}", f"write it as in {key} = 16")


def _shown(value: object) -> str:
    return quoted(str(value), 40)
