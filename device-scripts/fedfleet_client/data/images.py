"""Labelled images in memory."""

from dataclasses import dataclass
from typing import NoReturn, Tuple

import numpy as np

from ..exits import DATA_DAMAGED, DATA_MISSING, ClientExit

# The sides of the square images that the models of this client take.
SIDES = (28, 32)


@dataclass(frozen=True)
class ImageSet:
    """pixels: uint8 (N, height, width, 1 or 3); labels: uint8 or uint16 (N,)."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> "ImageSet":
        """Those with these indices, in that order. IndexError where one is outside."""
        return ImageSet(np.ascontiguousarray(self.pixels[indices]), self.labels[indices])


@dataclass(frozen=True)
class LocalData:
    """What the device trains and evaluates on. mean and std are per channel, on the 0…1 scale."""

    dataset: str
    classes: Tuple[str, ...]
    train: ImageSet
    test: ImageSet
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]


def label_type(classes: int) -> type:
    """The narrowest type that holds the labels: one byte for up to 256 classes, else two."""
    return np.uint8 if classes <= 256 else np.uint16


def missing(path: str, what: str, next_step: str) -> NoReturn:
    raise ClientExit(DATA_MISSING, "{}: {}".format(path, what), next_step)


def damaged(path: str, what: str, next_step: str) -> NoReturn:
    raise ClientExit(DATA_DAMAGED, "{}: {}".format(path, what), next_step)


def check_labels(path: str, labels: np.ndarray, classes: int, next_step: str) -> None:
    if len(labels) > 0 and int(labels.max()) >= classes:
        damaged(path, "has the label {}, expected 0 to {}".format(int(labels.max()), classes - 1), next_step)
