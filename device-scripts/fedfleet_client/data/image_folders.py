"""Images in folders: train/<class>/*.png and test/<class>/*.png, all 32×32 or all 28×28. Needs Pillow.

Classes and files come in the order of their names.
"""

import os
from typing import List, Tuple

import numpy as np

from ..exits import BAD_CONFIGURATION, ClientExit
from .images import SIDES, ImageSet, damaged, label_type, missing

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp")


def recognise(path: str) -> bool:
    return len(_classes(path, "train")) > 0 and os.path.isdir(os.path.join(path, "test"))


def _classes(path: str, split: str) -> List[str]:
    folder = os.path.join(path, split)
    if not os.path.isdir(folder):
        return []
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())


def read(path: str) -> Tuple[Tuple[str, ...], ImageSet, ImageSet]:
    """Classes, train and test images. ClientExit(10) where there are none, ClientExit(11) for an image that cannot be used."""
    classes = _classes(path, "train")
    if len(classes) > 65_536:
        damaged(path, "has {} classes, 65536 at most".format(len(classes)), "Merge some of them.")
    for name in _classes(path, "test"):
        if name not in classes:
            damaged(os.path.join(path, "test", name), "is not a class of train", "Use the same class folders in both.")
    train = _split(path, "train", classes)
    if len(train) == 0:
        missing(os.path.join(path, "train"), "holds no images", "Put .png files into the folders of its classes.")
    return tuple(classes), train, _split(path, "test", classes)


def _split(path: str, split: str, classes: List[str]) -> ImageSet:
    try:
        from PIL import Image
    except ImportError:
        raise ClientExit(
            BAD_CONFIGURATION,
            "{} holds images in folders, and reading them needs Pillow, which is not installed".format(path),
            "Install it (python3-pil, or pip install pillow), or give the data in another form.",
        ) from None
    images: List[np.ndarray] = []
    labels: List[int] = []
    for label, name in enumerate(classes):
        folder = os.path.join(path, split, name)
        files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        for file in files:
            if not file.lower().endswith(_ENDINGS):
                continue
            where = os.path.join(folder, file)
            try:
                with Image.open(where) as image:
                    image.load()
                    greyscale = image.mode in ("1", "L", "I", "I;16", "LA")
                    pixels = np.asarray(image.convert("L" if greyscale else "RGB"))
            except Exception as error:  # Pillow raises many kinds for a damaged file
                damaged(where, "cannot be read as an image ({})".format(error), "Replace it.")
            if pixels.shape[0] != pixels.shape[1] or pixels.shape[0] not in SIDES:
                damaged(where, "is {}×{}, expected 32×32 or 28×28".format(*pixels.shape[:2]), "Scale it.")
            images.append(pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis])
            labels.append(label)
    if not images:
        return ImageSet(np.zeros((0, 32, 32, 3), np.uint8), np.zeros(0, np.uint8))
    # greyscale and colour images in one set: all become colour
    channels = max(pixels.shape[2] for pixels in images)
    same = [p if p.shape[2] == channels else np.repeat(p, channels, axis=2) for p in images]
    sides = {pixels.shape[0] for pixels in same}
    if len(sides) > 1:
        damaged(path, "holds images of different sizes", "Scale all to 32×32 or all to 28×28.")
    return ImageSet(np.stack(same), np.array(labels, label_type(len(classes))))
