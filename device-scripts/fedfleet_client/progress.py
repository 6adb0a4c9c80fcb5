"""What the client reports: one JSON object per line on standard output, flushed.

Standard output carries nothing but these lines: other prints go to standard error.
"""

import json
import math
import os
import sys
import threading
import time
from typing import Any, Dict, Optional, TextIO


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return value


class Progress:
    """Writes events. Safe to call from several threads; it is no error when the reader has gone away."""

    def __init__(self, stream: TextIO, every_seconds: float = 0.5) -> None:
        self._stream = stream
        self._every = every_seconds
        self._lock = threading.Lock()
        self._last = -math.inf

    def say(self, event: str, **fields: Any) -> None:
        line = json.dumps(_finite({"event": event, **fields}), ensure_ascii=False)
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                pass

    def step(self, run: str, round_number: int, fraction: float, loss: Optional[float]) -> None:
        """Progress of local training, `fraction` from 0 to 1; at most two lines a second, and always the last one."""
        now = time.monotonic()
        if fraction < 1 and now - self._last < self._every:
            return
        self._last = now
        fields: Dict[str, Any] = {"run": run, "round": round_number, "fraction": round(fraction, 4)}
        if loss is not None:
            fields["loss"] = loss
        self.say("progress", **fields)


def take_standard_output() -> Progress:
    """Keeps standard output for events and sends other prints to standard error."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)
    return Progress(own)
