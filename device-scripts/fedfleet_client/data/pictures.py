"""Labelled pictures in memory."""

from dataclasses import dataclass
from typing import NoReturn, Tuple

import numpy as np

from ..exits import DATA_DAMAGED, DATA_MISSING, ClientExit

SIDES = (28, 32)


@dataclass(frozen=True)
class Pictures:
    """images: uint8 (N, side, side, 1 or 3), side 28 or 32; labels: uint8 (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> "Pictures":
        """Those of `indices`, in that order. IndexError where one is outside."""
        return Pictures(np.ascontiguousarray(self.images[indices]), self.labels[indices])


@dataclass(frozen=True)
class LocalData:
    """What the device trains and evaluates on. mean and std are per channel, on the 0…1 scale."""

    dataset: str
    classes: Tuple[str, ...]
    train: Pictures
    test: Pictures
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]


def missing(path: str, what: str, next_step: str) -> NoReturn:
    raise ClientExit(DATA_MISSING, "{}: {}".format(path, what), next_step)


def damaged(path: str, what: str, next_step: str) -> NoReturn:
    raise ClientExit(DATA_DAMAGED, "{}: {}".format(path, what), next_step)


def check_labels(path: str, labels: np.ndarray, classes: int, next_step: str) -> None:
    if len(labels) > 0 and int(labels.max()) >= classes:
        damaged(path, "has the label {}, expected 0 to {}".format(int(labels.max()), classes - 1), next_step)
