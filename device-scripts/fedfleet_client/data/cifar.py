"""CIFAR-10 and CIFAR-100: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html. Images are stored as three planes (1024 red, 1024 green, 1024 blue bytes);
the python and the binary form hold the same images in the same order.
"""

from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np

from .images import ImageSet, check_labels, damaged
from .places import FETCH_AGAIN, Place
from .safe_pickle import PickleRefused, read_pickle

SIDE = 32
IMAGE = 3 * SIDE * SIDE

CIFAR10_CLASSES = tuple("airplane automobile bird cat deer dog frog horse ship truck".split())
# The fine classes, in the order of their labels.
CIFAR100_CLASSES = tuple(
    (
        "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can "
        "castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin "
        "elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster "
        "man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck "
        "pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk "
        "skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger "
        "tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm"
    ).split()
)


@dataclass(frozen=True)
class Batch:
    file: str
    split: str
    count: int


@dataclass(frozen=True)
class Form:
    """label_bytes: labels before each image of the binary form, the last one counts; 0: the python form."""

    dataset: str
    title: str
    classes: Tuple[str, ...]
    batches: Tuple[Batch, ...]
    label_bytes: int
    labels_key: bytes
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]


def cifar10(binary: bool, count: int = 10_000) -> Form:
    end = ".bin" if binary else ""
    train = tuple(Batch("data_batch_{}{}".format(i, end), "train", count) for i in range(1, 6))
    return Form(
        "cifar10",
        "CIFAR-10, {} form".format("binary" if binary else "python"),
        CIFAR10_CLASSES,
        train + (Batch("test_batch" + end, "test", count),),
        1 if binary else 0,
        b"labels",
        # channel statistics of the 50,000 training images, as the lab has them
        (0.49139968, 0.48215827, 0.44653124),
        (0.24703233, 0.24348505, 0.26158768),
    )


def cifar100(binary: bool, train: int = 50_000, test: int = 10_000) -> Form:
    end = ".bin" if binary else ""
    return Form(
        "cifar100",
        "CIFAR-100, {} form".format("binary" if binary else "python"),
        CIFAR100_CLASSES,
        (Batch("train" + end, "train", train), Batch("test" + end, "test", test)),
        2 if binary else 0,
        b"fine_labels",
        (0.5071, 0.4865, 0.4409),
        (0.2673, 0.2564, 0.2762),
    )


FORMS = (cifar10(True), cifar10(False), cifar100(True), cifar100(False))


def read(place: Place, form: Form) -> Tuple[ImageSet, ImageSet]:
    """Train and test images, (N, 32, 32, 3). ClientExit(11) where sizes, counts or labels are not those of the format."""
    # Python 2 wrote protocol 0 with up to four characters per byte
    limits = {
        batch.file: batch.count * (form.label_bytes + IMAGE)
        if form.label_bytes
        else batch.count * IMAGE * 4 + 2**24
        for batch in form.batches
    }
    by_file = {batch.file: batch for batch in form.batches}
    read_in: Dict[str, Tuple[np.ndarray, np.ndarray]] = {}
    for where, content in place.read(limits):
        # a path, or "archive: name"
        name = max((file for file in by_file if where.endswith(file)), key=len)
        batch = by_file[name]
        planes, labels = (_binary if form.label_bytes else _python)(where, content, batch, form)
        check_labels(where, labels, len(form.classes), FETCH_AGAIN)
        pixels = planes.reshape(batch.count, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        read_in[name] = np.ascontiguousarray(pixels), labels.astype(np.uint8)
    return _joined(form, read_in, "train"), _joined(form, read_in, "test")


def _joined(form: Form, read_in: Dict[str, Tuple[np.ndarray, np.ndarray]], split: str) -> ImageSet:
    parts: List[Tuple[np.ndarray, np.ndarray]] = [read_in[b.file] for b in form.batches if b.split == split]
    return ImageSet(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))


def _binary(where: str, content: bytes, batch: Batch, form: Form) -> Tuple[np.ndarray, np.ndarray]:
    record = form.label_bytes + IMAGE
    if len(content) != batch.count * record:
        damaged(where, "has {} bytes, expected {}".format(len(content), batch.count * record), FETCH_AGAIN)
    records = np.frombuffer(content, np.uint8).reshape(batch.count, record)
    return records[:, form.label_bytes :], records[:, form.label_bytes - 1]


def _python(where: str, content: bytes, batch: Batch, form: Form) -> Tuple[np.ndarray, np.ndarray]:
    try:
        fields = read_pickle(content)
    except PickleRefused as error:
        damaged(where, str(error), FETCH_AGAIN)
    pixels = _entry(fields, b"data")
    labels = _entry(fields, form.labels_key)
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape != (batch.count, IMAGE):
        damaged(where, "its data are not uint8 ({}, {})".format(batch.count, IMAGE), FETCH_AGAIN)
    right = isinstance(labels, list) and len(labels) == batch.count
    if not right or not all(isinstance(label, int) and 0 <= label < 256 for label in labels):
        damaged(where, "its labels are not {} small numbers".format(batch.count), FETCH_AGAIN)
    return pixels, np.array(labels, dtype=np.int64)


def _entry(fields: object, key: bytes) -> object:
    """Keys are bytes as Python 2 wrote them, texts where Python 3 wrote the file again."""
    if not isinstance(fields, dict):
        return None
    return fields.get(key, fields.get(key.decode()))
