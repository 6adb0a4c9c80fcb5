"""Parameters that stay on the device between rounds: one file per run and round, written whole or not at all."""

import os
import re
import zipfile
from typing import Dict, Optional
from urllib.parse import quote

import numpy as np

from .exits import Refusal

UNFINISHED = ".unfinished"
_FILE = re.compile(r"^(\d+)\.npz$")


def encode_name(name: str) -> str:
    """A name as one part of a path: a run called `..` or `a/b` stays inside the folder."""
    return quote(name, safe="").replace(".", "%2E")


class KeptState:
    """Under `<folder>/<run>/<cid>/<round>.npz`; where `folder` is None, in the memory of this process."""

    def __init__(self, folder: Optional[str], cid: str) -> None:
        self._folder = folder
        self._cid = cid
        self._memory: Dict[str, Dict[int, Dict[str, np.ndarray]]] = {}

    def _path(self, run: str) -> str:
        return os.path.join(self._folder or "", encode_name(run), encode_name(self._cid))

    def load(self, run: str, round_number: int) -> Dict[str, np.ndarray]:
        """Refusal where that round has nothing, or it cannot be read."""
        if self._folder is None:
            kept = self._memory.get(run, {}).get(round_number)
            if kept is None:
                raise Refusal(
                    "the parameters that it kept in round {} are lost: the client was restarted without --state-dir".format(
                        round_number
                    )
                )
            return kept
        path = os.path.join(self._path(run), "{}.npz".format(round_number))
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise Refusal("the parameters that it kept in round {} cannot be read: {}".format(round_number, error)) from None

    def save(self, run: str, round_number: int, arrays: Dict[str, np.ndarray], needed: int) -> None:
        """On disk before it returns. Rounds before `needed`, from which the server continues, are deleted."""
        if self._folder is None:
            rounds = self._memory.setdefault(run, {})
            rounds[round_number] = arrays
            for old in [r for r in rounds if r < needed and r != round_number]:
                del rounds[old]
            return
        folder = self._path(run)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "{}.npz".format(round_number))
        with open(path + UNFINISHED, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + UNFINISHED, path)
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        for name in os.listdir(folder):
            match = _FILE.match(name)
            if match and int(match.group(1)) < needed and int(match.group(1)) != round_number:
                os.remove(os.path.join(folder, name))
