"""SIGTERM and SIGINT end the client at once, whatever it is doing."""

import os
import signal
import threading
from typing import Dict

from .exits import INTERRUPTED, TERMINATED
from .progress import Progress

_CODES: Dict[int, int] = {signal.SIGTERM: TERMINATED, signal.SIGINT: INTERRUPTED}


def end_on_signals(progress: Progress) -> None:
    """Call it before any thread starts: all threads then leave the signals to the one that waits for them.

    Signal handlers are not enough: flwr sets its own, after which a SIGTERM looks like a goodbye of the server, and a
    handler does not run while PyTorch computes. Files are written whole or not at all, so the client may end anywhere.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, set(_CODES))

    def wait() -> None:
        number = signal.sigwait(set(_CODES))
        progress.say("stopped", code=_CODES[number], reason=signal.Signals(number).name)
        os._exit(_CODES[number])

    threading.Thread(target=wait, name="signals", daemon=True).start()
