"""SIGTERM and SIGINT end the client at once, in the middle of whatever it does."""

import os
import signal
import threading
from typing import Dict

from .exits import INTERRUPTED, TERMINATED
from .progress import Progress

_CODES: Dict[int, int] = {signal.SIGTERM: TERMINATED, signal.SIGINT: INTERRUPTED}


def end_on_signals(progress: Progress) -> None:
    """To be called before any thread is started, so that all of them leave the signals to the one that waits for them.

    Handlers would not do: flwr sets its own, after which a SIGTERM looks like a goodbye of the server; and a handler does
    not run while PyTorch computes. What the client keeps on disk is written whole or not at all, so it may end anywhere.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, set(_CODES))

    def wait() -> None:
        number = signal.sigwait(set(_CODES))
        progress.say("stopped", code=_CODES[number], reason=signal.Signals(number).name)
        os._exit(_CODES[number])

    threading.Thread(target=wait, name="signals", daemon=True).start()
