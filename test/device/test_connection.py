"""Being sent away, being left alone, and dialling again, without a network."""

import logging

import grpc
import pytest

from fedfleet_client.connection import Listener, converse
from fedfleet_client.exits import CUDA_OUT_OF_MEMORY, OUT_OF_MEMORY, ClientExit, out_of_memory


class Error(grpc.RpcError):
    def __init__(self, code, details="words"):
        super().__init__()
        self._code, self._details = code, details

    def code(self):
        return self._code

    def details(self):
        return self._details


class Said:
    def __init__(self):
        self.events = []

    def say(self, event, **fields):
        self.events.append((event, fields))


class Connections:
    """Each call is one conversation: what flwr logs of it, and how it ends. Time passes only by sleeping."""

    def __init__(self, *endings):
        self.endings = list(endings)
        self.now = 0.0
        self.slept = []
        self.said = Said()
        self.listener = Listener(lambda: self.said.say("connected"))

    def start(self):
        messages, ending = self.endings.pop(0)
        for message in messages:
            self.listener.emit(
                logging.LogRecord("flwr", logging.INFO, "", 0, "Received: %s message %s", (message, "id"), None)
            )
        if ending is not None:
            raise ending

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def run(self, retry_seconds=0.0):
        return converse(self.start, self.listener, self.said, retry_seconds, self.sleep, lambda: self.now)


LOST = Error(grpc.StatusCode.UNAVAILABLE)


def test_a_goodbye_is_the_end():
    assert Connections((["train", "reconnect"], None)).run() == 0


@pytest.mark.parametrize(
    "ending", [(["train"], None), ([], LOST), (["train"], StopIteration()), (["train"], Error(grpc.StatusCode.UNKNOWN))]
)
def test_everything_else_is_a_lost_server(ending):
    connections = Connections(ending)
    with pytest.raises(ClientExit) as end:
        connections.run()
    assert end.value.code == 12
    assert connections.said.events[-1][0] == "disconnected"


def test_the_end_of_the_stream_as_contextlib_wraps_it():
    def wrapped():
        try:
            raise StopIteration
        except StopIteration as error:
            raise RuntimeError("generator raised StopIteration") from error

    connections = Connections()
    connections.start = wrapped
    with pytest.raises(ClientExit) as end:
        connections.run()
    assert end.value.code == 12


def test_a_bug_is_not_taken_for_a_lost_server():
    for bug in (RuntimeError("CUDA error"), KeyError("x")):
        with pytest.raises(type(bug)):
            Connections((["train"], bug)).run(60)


def test_it_is_dialled_again_ever_more_slowly_until_the_time_is_up():
    connections = Connections(*[([], LOST)] * 50)
    with pytest.raises(ClientExit):
        connections.run(60)
    assert 59 <= connections.now <= 61
    assert connections.slept[0] < 1 and max(connections.slept) > 3
    assert len(connections.slept) < 30


def test_the_time_counts_from_when_the_server_was_last_there():
    hours = [(["train"], LOST)] * 30
    connections = Connections(*hours, ([], LOST), (["reconnect"], None))
    assert connections.run(5) == 0
    assert max(connections.slept[:30]) < 1  # each time it begins anew
    assert [e for e, _ in connections.said.events].count("connected") == 31


@pytest.mark.parametrize("code", ["PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"])
def test_a_door_that_stays_closed_is_not_knocked_at_again(code):
    connections = Connections(([], Error(grpc.StatusCode[code])))
    with pytest.raises(ClientExit) as end:
        connections.run(60)
    assert end.value.code == 2
    assert connections.slept == []


def test_what_pytorch_says_of_memory():
    class OutOfMemoryError(RuntimeError):
        """torch.cuda.OutOfMemoryError, since PyTorch 1.13."""

    for error in (
        OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("NvMapMemAllocInternalTagged: 1075072515 error 12"),
    ):
        assert out_of_memory(error) == CUDA_OUT_OF_MEMORY
    for error in (
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:75] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
    ):
        assert out_of_memory(error) == OUT_OF_MEMORY
    assert out_of_memory(RuntimeError("shape mismatch")) is None
    try:
        try:
            raise MemoryError
        except MemoryError as error:
            raise ValueError("while answering") from error
    except ValueError as error:
        assert out_of_memory(error) == OUT_OF_MEMORY
