"""The conversation with the server, and what happens when the server is lost.

Flower's own clients dial once and end with a traceback when the connection breaks. This client dials again for as long as
the command line says, and distinguishes a server that sends it away from one that disappears.
"""

import logging
import random
import time
from typing import Any, Callable, Optional

from .exits import BAD_CONFIGURATION, SENT_AWAY, SERVER_LOST, ClientExit
from .progress import Progress

# Flower's own limit is 512 MiB
MAX_MESSAGE_BYTES = (1 << 30) - 1
FIRST_WAIT_SECONDS = 0.5
LAST_WAIT_SECONDS = 5.0


class Listener(logging.Handler):
    """Learns from flwr's log what flwr says nowhere else: that the channel is up, and which message came last.

    flwr 1.9 to 1.11 return from start_client in the same way when the server says goodbye (Reconnect 0) and when it ends
    the conversation without a word.
    """

    def __init__(self, on_connected: Callable[[], None]) -> None:
        super().__init__(logging.DEBUG)
        self._on_connected = on_connected
        self.last_message: Optional[str] = None
        self.connected = False

    def forget(self) -> None:
        self.last_message = None
        self.connected = False

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record.msg, "name", None) == "READY":
            self._met()
        elif isinstance(record.msg, str) and record.msg.startswith("Received: %s message") and record.args:
            self.last_message = str(record.args[0])
            self._met()

    def _met(self) -> None:
        if not self.connected:
            self.connected = True
            self._on_connected()


class _Lost(Exception):
    """The server is lost; the message says why, in a sentence."""


def _once(start: Callable[[], None], listener: Listener) -> None:
    """One conversation; returns when the server has sent the client away. _Lost, or ClientExit, or a bug's exception."""
    import grpc

    listener.forget()
    try:
        start()
    except grpc.RpcError as error:
        _judge(error)
    except (StopIteration, RuntimeError) as error:
        # flwr 1.8 lets the end of the stream through, as itself or as contextlib wraps it
        ended = isinstance(error, StopIteration) or isinstance(error.__cause__, StopIteration)
        if not ended:
            raise
        raise _Lost("it ended the conversation without a goodbye") from None
    if listener.last_message is not None and listener.last_message != "reconnect":
        raise _Lost("it ended the conversation without a goodbye")


def _judge(error: Any) -> None:
    name = error.code().name if hasattr(error, "code") and error.code() is not None else "UNKNOWN"
    details = str(error.details()) if hasattr(error, "details") else str(error)
    if name in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
        raise ClientExit(
            BAD_CONFIGURATION,
            "the server does not admit this client: {}".format(details),
            "Give the right --join-token, or allow this device's address on the server.",
        ) from None
    if name == "UNIMPLEMENTED":
        raise ClientExit(
            BAD_CONFIGURATION,
            "no Flower server answers at --server-address: {}".format(details),
            "Give the address on which the server listens for clients.",
        ) from None
    raise _Lost("{}: {}".format(name, details)) from None


def converse(
    start: Callable[[], None],
    listener: Listener,
    progress: Progress,
    retry_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Talks with the server until it sends the client away.

    start: one conversation, as start_client. Returns SENT_AWAY. ClientExit(12) when the server has been lost for more
    than retry_seconds.
    """
    there = clock()
    wait = FIRST_WAIT_SECONDS
    while True:
        try:
            _once(start, listener)
            return SENT_AWAY
        except _Lost as lost:
            now = clock()
            if listener.connected:
                # it was there until now
                there, wait = now, FIRST_WAIT_SECONDS
            left = there + retry_seconds - now
            if left <= 0:
                progress.say("disconnected", reason=str(lost), retry_in=None)
                raise ClientExit(
                    SERVER_LOST,
                    "the server is lost ({})".format(lost),
                    "Check that it runs and can be reached; with --retry-seconds the client keeps dialling.",
                ) from None
            # devices that were lost together should not all come back at the same instant
            pause = min(left, wait * random.uniform(0.75, 1.25))
            progress.say("disconnected", reason=str(lost), retry_in=round(pause, 2))
            sleep(pause)
            wait = min(2 * wait, LAST_WAIT_SECONDS)


def talk(client: Any, address: str, ca: Optional[bytes], progress: Progress, retry_seconds: float) -> int:
    """Runs the client against the server at `address` (HOST:PORT, or unix:/folder/name:1).

    ca: certificates in PEM form, for TLS. ClientExit for every other end than a goodbye.
    """
    import flwr

    listener = Listener(lambda: progress.say("connected", server=address))
    logger = logging.getLogger("flwr")
    for handler in logger.handlers:
        if hasattr(handler, "colored"):
            handler.colored = False
    logger.addHandler(listener)

    def start() -> None:
        flwr.client.start_client(
            server_address=address,
            client=client,
            grpc_max_message_length=MAX_MESSAGE_BYTES,
            root_certificates=ca,
            insecure=ca is None,
            transport="grpc-bidi",
        )

    try:
        return converse(start, listener, progress, retry_seconds)
    finally:
        logger.removeHandler(listener)
