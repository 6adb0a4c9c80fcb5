"""Reads the pickles of CIFAR's python form. Unpickling can run any code that a file names; here the names that NumPy's
arrays need are known, and every other name is refused.
"""

import codecs
import io
import pickle
from typing import Any

import numpy as np


class PickleRefused(Exception):
    pass


def _encode(text: str, encoding: str) -> bytes:
    # Python 3 writes bytes for protocol 2 as an encoded text.
    if encoding != "latin1":
        raise PickleRefused("the pickle wants the encoding {!r}".format(encoding))
    return codecs.encode(text, "latin1")


def _reconstruct(kind: Any, shape: Any, code: Any) -> np.ndarray:
    """An empty array, which its state then fills."""
    if kind is not np.ndarray or shape != (0,):
        raise PickleRefused("the pickle wants an array of a kind that is not plain")
    return np.ndarray.__new__(np.ndarray, (0,), "b")


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise PickleRefused("the pickle wants {}.{}, which is not data".format(module, name))
        return _KNOWN[(module, name)]

    def persistent_load(self, pid: Any) -> Any:
        raise PickleRefused("the pickle refers to something outside of it")


def read_pickle(content: bytes) -> Any:
    """The values in a pickle; texts of Python 2 as bytes. PickleRefused where it is damaged or wants more than data."""
    try:
        return _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except PickleRefused:
        raise
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise PickleRefused("is not a complete pickle ({}: {})".format(type(error).__name__, error)) from None
