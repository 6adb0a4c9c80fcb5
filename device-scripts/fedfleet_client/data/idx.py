"""Fashion-MNIST (Xiao, Rasul, Vollgraf 2017) and MNIST. Idx files: big-endian magic (0x0803 images, 0x0801 labels),
one 32-bit size per dimension, then bytes, row by row; plain or .gz.
"""

import struct
import zlib
from typing import Dict, List, Set, Tuple

import numpy as np

from .images import ImageSet, check_labels, damaged
from .places import FETCH_AGAIN, Place

SIDE = 28
_SPLITS = {"train": "train", "test": "t10k"}
_LARGEST = 1 << 28


def _name(split: str, labels: bool) -> str:
    return "{}-{}".format(_SPLITS[split], "labels-idx1-ubyte" if labels else "images-idx3-ubyte")


def wanted(present: Set[str]) -> List[str]:
    files = [_name(split, labels) for split in _SPLITS for labels in (False, True)]
    return [name if name in present or name + ".gz" not in present else name + ".gz" for name in files]


def read(place: Place) -> Tuple[ImageSet, ImageSet]:
    """Train and test images, (N, 28, 28, 1). ClientExit(11) where header, size or labels are wrong."""
    files = wanted(place.names())
    bodies: Dict[Tuple[str, bool], Tuple[str, np.ndarray]] = {}
    for where, content in place.read({name: _LARGEST for name in files}):
        for split in _SPLITS:
            for labels in (False, True):
                if _name(split, labels) in where.rsplit("/", 1)[-1]:
                    bodies[(split, labels)] = where, _body(where, _plain(where, content), labels)
    splits = []
    for split in _SPLITS:
        _, images = bodies[(split, False)]
        where, labels_found = bodies[(split, True)]
        if len(labels_found) != len(images):
            text = "holds {} labels for {} images".format(len(labels_found), len(images))
            damaged(where, text, FETCH_AGAIN)
        check_labels(where, labels_found, 10, FETCH_AGAIN)
        splits.append(ImageSet(images, labels_found))
    return splits[0], splits[1]


def _plain(where: str, content: bytes) -> bytes:
    if not where.endswith(".gz"):
        return content
    try:
        # an unpacker with a limit: a small file must not unpack to more than memory holds
        unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
        plain = unpacker.decompress(content, _LARGEST)
        if not unpacker.eof:
            raise EOFError("it ends too early, or unpacks to more than {} bytes".format(_LARGEST))
        return plain
    except (zlib.error, EOFError) as error:
        damaged(where, "is not a complete gzip file ({})".format(error), FETCH_AGAIN)


def _body(where: str, content: bytes, labels: bool) -> np.ndarray:
    magic, dimensions = (0x0801, 1) if labels else (0x0803, 3)
    header = 4 + 4 * dimensions
    if len(content) < header:
        damaged(where, "has {} bytes, less than its header".format(len(content)), FETCH_AGAIN)
    found, *sizes = struct.unpack(">{}I".format(1 + dimensions), content[:header])
    if found != magic:
        damaged(where, "starts with 0x{:08x}, expected 0x{:08x}".format(found, magic), FETCH_AGAIN)
    if not labels and sizes[1:] != [SIDE, SIDE]:
        damaged(where, "holds images of {}×{}, expected 28×28".format(*sizes[1:]), FETCH_AGAIN)
    expected = header + int(np.prod(sizes, dtype=np.int64))
    if len(content) != expected:
        damaged(where, "has {} bytes unpacked, expected {}".format(len(content), expected), FETCH_AGAIN)
    body = np.frombuffer(content, np.uint8, offset=header)
    return body if labels else body.reshape(sizes[0], SIDE, SIDE, 1)
