"""The client's own tests. Run: <flwr venv>/bin/python -m pytest test/device"""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "device-scripts"
GOLDEN = ROOT / "test" / "golden"
SAMPLE = ROOT / "resources" / "data" / "fashion-mnist-sample"
sys.path[:0] = [str(SCRIPTS), str(GOLDEN), str(pathlib.Path(__file__).parent)]
sys.dont_write_bytecode = True


class Client:
    """The client as a process of its own."""

    def __init__(self, *arguments, command=("-m", "fedfleet_client"), environment=None, **settings):
        self.process = subprocess.Popen(
            [sys.executable, "-B", *command, *map(str, arguments)],
            cwd=SCRIPTS,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **settings,
        )
        self.events = []
        self.errors = ""

    def until(self, event):
        """The next event of this name; fails when the output ends before."""
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event:
                return self.events[-1]
        raise AssertionError(f"no {event}: {self.events}\n{self.process.stderr.read()}")

    def end(self, timeout=60):
        """Its exit code; every line of its standard output must be one event."""
        out, self.errors = self.process.communicate(timeout=timeout)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode

    def all(self, event):
        return [e for e in self.events if e["event"] == event]


@pytest.fixture
def client():
    """Starts clients; those that still run at the end are killed."""
    started = []

    def start(*arguments, **settings):
        started.append(Client(*arguments, **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.stdout.close()
        one.process.stderr.close()
        one.process.wait()


@pytest.fixture(scope="session")
def golden():
    return {name: json.loads((GOLDEN / f"{name}.json").read_text()) for name in ("learning", "federation", "npy")}


@pytest.fixture
def options():
    from fedfleet_client.config import parse_options

    return lambda *more: parse_options(["--server-address=127.0.0.1:1", "--cid=pi-1", *map(str, more)])
