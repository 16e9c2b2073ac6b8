"""What-ifs: estimates of a recording for devices that are not there."""

from __future__ import annotations

import pytest

from tfgraphdbg.cost_estimates import DeviceSpeed, EstimatesPart, OpEstimate
from tfgraphdbg.device_models import NAMED_DEVICES, device_named, estimates_for, require_device_model
from tfgraphdbg.errors import UsageError

CPU = DeviceSpeed("CPU AuthenticAMD: 2 cores at 2000 MHz", "CPU", 4.0, 32.0, 2, 2000)
GPU = DeviceSpeed("GPU NVIDIA: 40 multiprocessors at 1590 MHz", "GPU", 8000.0, 320.0, 40, 1590)


def _estimates(*devices: DeviceSpeed) -> EstimatesPart:
    ops = tuple(OpEstimate(f"op{place}", 100.0, 20.0, place == 0, place) for place in range(len(devices)))
    return EstimatesPart(devices[0].name, devices[0].gigaops, devices[0].gb_per_s, ops, devices)


def _error(device_model: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        estimates_for(_estimates(CPU), device_model)
    return caught.value


def test_no_device_model_leaves_estimates_as_they_are():
    estimates = _estimates(CPU)
    assert estimates_for(estimates, "") is estimates


@pytest.mark.parametrize(
    ("name", "teraflops", "gb_per_s"),
    [
        ("gpu:p100", 10.6, 732),
        ("gpu:v100", 15.7, 900),
        ("gpu:t4", 8.1, 320),
        ("gpu:a10", 31.2, 600),
        ("gpu:a30", 10.3, 933),
        ("gpu:a100", 19.5, 1555),
        ("gpu:a100-80gb", 19.5, 2039),
        ("gpu:l4", 30.3, 300),
        ("gpu:l40s", 91.6, 864),
        ("gpu:h100", 66.9, 3350),
        ("gpu:h100-pcie", 51.2, 2039),
        ("gpu:h200", 66.9, 4800),
        ("gpu:rtx3090", 35.6, 936),
        ("gpu:rtx4090", 82.6, 1008),
        ("gpu:rtx5090", 104.8, 1792),
    ],
)
def test_a_named_device_has_the_peak_of_its_data_sheet(name, teraflops, gb_per_s):
    device = device_named(name, _estimates(CPU))
    assert device.gigaops / 1e3 == pytest.approx(teraflops, abs=0.06)
    assert device.gb_per_s == gb_per_s
    assert len(NAMED_DEVICES) == 15


def test_times_are_inverse_to_speeds():
    what_if = estimates_for(_estimates(CPU), "cpu:8")
    assert (what_if.device, what_if.gigaops, what_if.gb_per_s) == ("CPU: 8 cores at 2000 MHz", 16.0, 32.0)
    assert what_if.ops == (OpEstimate("op0", 25.0, 20.0, True, 0),)
    assert what_if.devices[0].cores == 8


def test_a_what_if_of_a_what_if_is_the_same_as_at_once():
    twice = estimates_for(estimates_for(_estimates(CPU), "gpu:a100"), "cpu:8").ops[0]
    once = estimates_for(_estimates(CPU), "cpu:8").ops[0]
    assert (twice.compute_us, twice.memory_us) == pytest.approx((once.compute_us, once.memory_us))


def test_what_ran_on_the_host_beside_a_gpu_stays_there():
    what_if = estimates_for(_estimates(GPU, CPU), "gpu:a100")
    moved, stayed = what_if.ops
    assert what_if.devices[moved.device].name.startswith("GPU NVIDIA A100")
    assert what_if.devices[stayed.device] == CPU
    assert (stayed.compute_us, stayed.memory_us) == (100.0, 20.0)


def test_on_a_cpu_all_run_on_it():
    what_if = estimates_for(_estimates(GPU, CPU), "cpu:4")
    assert {op.device for op in what_if.ops} == {0}
    assert [round(op.compute_us) for op in what_if.ops] == [100_000, 50]


def test_estimates_that_name_one_device_only_scale_too():
    plain = EstimatesPart("CPU: 2 cores at 2445 MHz", 4.89, 32.0, (OpEstimate("a", 10.0, 1.0),))
    assert estimates_for(plain, "gpu:v100").ops[0].memory_us == pytest.approx(32 / 900)
    with pytest.raises(UsageError, match="which does not tell their clock"):
        estimates_for(plain, "cpu:8")


@pytest.mark.parametrize("name", ["cpu:-3", "cpu:0", "cpu:4097", "cpu:99999999999"])
def test_a_number_of_cores_that_cannot_be_is_told(name):
    error = _error(name)
    assert error.message.startswith("there is no device model ")
    assert error.hint == "N in cpu:N is a number of cores from 1 to 4096, as in cpu:8"


@pytest.mark.parametrize("name", ["gpu:a1000", "a100", "gpu:", "cpu", "cpu:", "cpu:x", "tpu:v4", ""])
def test_an_unknown_name_is_told_with_those_that_exist(name):
    if not name:
        name = "[red]\n"
    error = _error(name)
    assert error.message.startswith("there is no device model ")
    assert "gpu:h100, " in error.hint
    assert "cpu:N" in error.hint
    assert "TOML" in error.hint


def test_close_names_come_first():
    assert _error("gpu:a1000").hint.startswith("did you mean gpu:a100")
    assert _error("A100").hint.startswith("did you mean gpu:a100 or gpu:a100-80gb?")


def _file(tmp_path, text: str) -> str:
    path = tmp_path / "machine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_of_clock_cores_and_bandwidth(tmp_path):
    path = _file(tmp_path, "clock = 3000\ncores = 16\nbandwidth = 80.5\n")
    assert device_named(path, _estimates(CPU)) == DeviceSpeed("CPU machine", "CPU", 48.0, 80.5, 16, 3000)


def test_a_file_of_a_gpu_with_and_without_a_peak(tmp_path):
    plain = 'type = "gpu"\nname = "my GPU"\nclock = 1000\ncores = 2000\nbandwidth = 500\n'
    assert device_named(_file(tmp_path, plain), _estimates(CPU)).gigaops == 4000
    told = device_named(_file(tmp_path, plain + "peak = 9000\n"), _estimates(CPU))
    assert (told.name, told.gigaops) == ("GPU my GPU", 9000)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("clock = 3\ncores = 2\nbandwith = 3", "there is no key 'bandwith'", "did you mean bandwidth?"),
        ("clock = 3\ncores = 2", "bandwidth is missing", "in GB a second"),
        ("bandwidth = 3", "clock and cores missing, and peak too", "peak = 1500"),
        ("bandwidth = 3\ncores = 2", "clock missing, and peak too", "clock = 3000"),
        ("bandwidth = -3\npeak = 2", "bandwidth is '-3', which is not a number above 0", "bandwidth = 16"),
        ('bandwidth = "3"\npeak = 2', "bandwidth is '3', which is not a number", "bandwidth = 16"),
        ("bandwidth = nan\npeak = 2", "bandwidth is 'nan'", "bandwidth = 16"),
        ("bandwidth = inf\npeak = 2", "bandwidth is 'inf'", "bandwidth = 16"),
        ("bandwidth = true\npeak = 2", "bandwidth is 'True'", "bandwidth = 16"),
        ("bandwidth = 3\ncores = 2.5\nclock = 1", "cores is '2.5', which is not a whole number", "cores = 16"),
        ('bandwidth = 3\npeak = 2\ntype = "tpu"', "type is 'tpu'", 'type = "gpu"'),
        ("bandwidth = 3\npeak = 2\nname = 3", "name is '3', which is no text", "my machine"),
        ("bandwidth = ", "is no TOML file", "clock = 3000"),
        ("[cpu]\nclock = 3", "there is no key 'cpu'", "keys: clock"),
    ],
)
def test_a_wrong_file_is_told_what_is_wrong(tmp_path, text, message, hint):
    error = _error(_file(tmp_path, text))
    assert message in error.message
    assert "machine.toml" in error.message
    assert hint in error.hint


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    assert "cannot read the device model" in _error(str(tmp_path / "gone.toml")).message
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    assert "is no TOML file" in _error(str(tmp_path / "bytes.toml")).message


def test_a_model_is_checked_before_there_is_a_recording(tmp_path):
    for good in ("", "gpu:t4", "cpu:8", _file(tmp_path, "peak = 3\nbandwidth = 4")):
        require_device_model(good)
    for bad in ("gpu:x", "cpu:0", str(tmp_path / "gone.toml")):
        with pytest.raises(UsageError):
            require_device_model(bad)
