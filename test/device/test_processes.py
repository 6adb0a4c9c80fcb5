"""The client as it is launched: exit codes, lines of JSON, a real Flower server."""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys

import pytest
from conftest import SCRIPTS
from parts import part_of

SERVER = pathlib.Path(__file__).with_name("flower_server.py")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def server():
    """Starts Flower servers; those that still run at the end are killed."""
    started = []

    def start(port, *arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, "-B", str(SERVER), "--port", str(port), *arguments],
                env={**os.environ, "FLWR_TELEMETRY_ENABLED": "0"},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        return started[-1]

    yield start
    for one in started:
        if one.poll() is None:
            one.kill()
        one.stdout.close()
        one.wait()


@pytest.fixture
def part(tmp_path):
    path, _ = part_of(tmp_path)
    return ("--data-dir", tmp_path, "--part", path)


def to(port, *more):
    return ("--server-address", f"127.0.0.1:{port}", "--cid", "0", *more)


def error_of(client):
    (error,) = client.all("error")
    assert client.events[-1] is error
    assert error["message"] in client.errors and error["next"]
    return error


def test_an_original_server_and_the_original_command_line(client, server, tmp_path, part):
    port = free_port()
    flower = server(port)
    one = client(
        f"--server_address=127.0.0.1:{port}",
        "--cid=0",
        "--model=Net",
        "--batch_size",
        "50",
        "--retry-seconds=30",
        *part,
        command=("client.py",),
    )
    assert one.end() == 0, one.errors
    assert [e["event"] for e in one.events if e["event"] != "progress"][-6:] == [
        "connected", "fit", "evaluate", "fit", "evaluate", "stopped",
    ]  # fmt: skip
    assert one.events[-1] == {"event": "stopped", "code": 0, "reason": "sent away by the server"}
    (ready,) = one.all("ready")
    assert (ready["train"], ready["test"], ready["device"], ready["cid"]) == (60, 20, "cpu", "0")
    fits = one.all("fit")
    assert [e["round"] for e in fits] == [1, 2] and fits[1]["loss"] < fits[0]["loss"]
    last = one.all("evaluate")[-1]
    assert sum(total for _, total in last["per_class"]) == last["examples"] == 20
    assert sum(correct for correct, _ in last["per_class"]) == last["correct"]
    assert {e["fraction"] for e in one.all("progress")} >= {0.0, 1.0}
    told = json.loads(flower.stdout.read())
    assert [loss for _, loss in told["losses"]] == pytest.approx([e["loss"] for e in one.all("evaluate")], rel=1e-6)


def test_data_that_is_missing_is_10_and_damaged_is_11(client, tmp_path, part):
    _, fields = part[3], json.loads(part[3].read_text())
    file = tmp_path / f"{fields['train']['labels']}.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    damaged = client(*to(1), *part)
    assert damaged.end() == 11
    assert str(file) in error_of(damaged)["message"]
    file.unlink()
    missing = client(*to(1), *part)
    assert missing.end() == 10
    assert str(file) in error_of(missing)["message"]


def test_a_bad_command_line_is_2_and_help_is_0(client):
    bad = client(*to(1), "--learning-rate", "1")
    assert bad.end() == 2
    assert "--learning-rate" in error_of(bad)["message"]
    shown = subprocess.run(
        [sys.executable, "-B", "-m", "fedfleet_client", "--help"], cwd=SCRIPTS, capture_output=True, text=True
    )
    assert shown.returncode == 0 and "--server-address" in shown.stdout


def test_a_python_without_pytorch_is_2(client, part):
    """-I -S: nothing but the standard library."""
    program = "import sys; sys.path.insert(0, '.'); from fedfleet_client.run import main_and_end; main_and_end(sys.argv[1:])"
    one = client(*to(1), *part, command=("-I", "-S", "-c", program))
    assert one.end() == 2
    assert "no module called numpy" in error_of(one)["message"]


def test_a_gpu_that_is_not_there_is_15(client, part):
    one = client(*to(1), "--device=cuda", *part)
    assert one.end() == 15
    assert "--device cuda" in error_of(one)["message"]


def test_nobody_listens_is_12(client, part):
    port = free_port()
    one = client(*to(port), *part)
    assert one.end() == 12
    assert str(port) in error_of(one)["message"]
    (gone,) = one.all("disconnected")
    assert gone["retry_in"] is None


def test_a_server_that_dies_is_12_and_one_that_comes_back_in_time_is_met_again(client, server, part):
    port = free_port()
    first = server(port, "--hold")
    patient = client(*to(port, "--retry-seconds=60"), *part)
    at_once = client(*to(port), *part)
    patient.until("connected")
    at_once.until("connected")
    first.kill()
    first.wait()
    assert at_once.end() == 12
    assert "UNAVAILABLE" in error_of(at_once)["message"]
    patient.until("disconnected")
    second = server(port, "--rounds=1")
    assert patient.end() == 0, patient.errors
    assert len(patient.all("connected")) == 2
    assert patient.all("fit")[0]["examples"] == 60
    assert second.wait() == 0


def test_sigterm_ends_a_waiting_client_with_143(client, server, part):
    port = free_port()
    server(port, "--hold")
    one = client(*to(port, "--retry-seconds=30"), *part)
    one.until("connected")
    one.process.send_signal(signal.SIGTERM)
    assert one.end(timeout=5) == 143
    assert one.events[-1] == {"event": "stopped", "code": 143, "reason": "SIGTERM"}


def test_memory_that_is_used_up_is_14(client, server, tmp_path):
    path, _ = part_of(tmp_path, train=4000)
    port = free_port()
    server(port, "--rounds=1", "--batch-size=4000")

    def little_memory():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    one = client(
        *to(port, "--retry-seconds=30", "--model=ResNet18", "--data-dir", tmp_path, "--part", path, "--threads=1"),
        preexec_fn=little_memory,
    )
    assert one.end() == 14, one.errors
    assert "batch size" in error_of(one)["next"]


def test_the_self_test_tells_about_the_device(client):
    one = client("--self-test", "--device=cpu")
    assert one.end() == 0, one.errors
    (told,) = one.events
    assert told["event"] == "self-test"
    assert told["flwr"] and told["torch"] and told["arch"] == os.uname().machine
    assert (told["device"], told["gpu"]) == ("cpu", None)


def test_only_events_reach_standard_output(client, part):
    """Whatever a library prints goes to standard error."""
    program = (
        "import os, sys; from fedfleet_client import run; from fedfleet_client.progress import take_standard_output\n"
        "progress = take_standard_output(); print('noise'); os.system('echo more'); progress.say('ready', x=float('nan'))"
    )
    one = client(command=("-c", program))
    assert one.end() == 0
    assert one.events == [{"event": "ready", "x": None}]
    assert "noise" in one.errors and "more" in one.errors
