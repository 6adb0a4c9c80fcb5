"""A device's data: the part that a file describes, which the lab (or a person) wrote, or all of a data set."""

import hashlib
import json
import math
import os
from typing import Any, Dict, NoReturn, Optional, Sequence, Tuple, cast

import numpy as np

from .images import SIDES, ImageSet, LocalData, check_labels, damaged, label_type, missing
from .published import Published, read_published

SEND_AGAIN = "Send this device's data again."
_CHUNK = 1 << 20


def load(data_dir: str, part: Optional[str]) -> LocalData:
    """ClientExit(10) where something is missing, ClientExit(11) where it is damaged; both name the file."""
    if part is None:
        return _whole(read_published(data_dir, None))
    fields = _read_part(part)
    if fields.get("folder") is True:
        return _from_folder(part, fields, data_dir)
    return _from_arrays(part, fields, data_dir)


def _whole(found: Published) -> LocalData:
    return LocalData(found.dataset, found.classes, found.train, found.test, found.mean, found.std)


def _read_part(part: str) -> Dict[str, Any]:
    try:
        with open(part, encoding="utf-8") as file:
            fields = json.load(file)
    except FileNotFoundError:
        missing(part, "the part file is not there", SEND_AGAIN)
    except OSError as error:
        missing(part, "the part file cannot be read ({})".format(error.strerror), "Check its permissions.")
    except ValueError as error:
        damaged(part, "is not JSON ({})".format(error), SEND_AGAIN)
    _check_part(part, fields)
    return fields


def _wrong(part: str, field: str, expected: str) -> NoReturn:
    damaged(part, "is wrong at {}: expected {}".format(field, expected), SEND_AGAIN)


def _check_part(part: str, fields: Any) -> None:
    if not isinstance(fields, dict):
        _wrong(part, "its root", "an object")
    if fields.get("version") != 1 or isinstance(fields.get("version"), bool):
        _wrong(part, "version", "1, the only one that this client knows; update its image")
    known = {"version", "dataset", "classes", "mean", "std", "folder", "train", "test"}
    for field in fields:
        if field not in known:
            _wrong(part, field, "no such field; update the client's image")
    if not isinstance(fields.get("dataset"), str) or not fields["dataset"]:
        _wrong(part, "dataset", "a name")
    for field in ("mean", "std"):
        if not _three(fields.get(field), positive=field == "std"):
            _wrong(part, field, "three numbers" + (" above 0" if field == "std" else ""))
    folder = fields.get("folder", False)
    if not isinstance(folder, bool):
        _wrong(part, "folder", "true or false")
    if "classes" in fields or not folder:
        names = fields.get("classes")
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            _wrong(part, "classes", "a list of names")
    for split in ("train", "test"):
        entry = fields.get(split)
        if not isinstance(entry, dict) or set(entry) != ({"indices"} if folder else {"images", "labels"}):
            _wrong(part, split, '{"indices"}' if folder else '{"images", "labels"}')
        for key, value in entry.items():
            if not (_is_indices(value) if folder else _is_sha256(value)):
                _wrong(part, split + "." + key, "whole numbers of at least 0" if folder else "a SHA-256 in hexadecimal")


def _three(value: Any, positive: bool) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(
            isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x) and (x > 0 or not positive)
            for x in value
        )
    )


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and all(c in "0123456789abcdef" for c in value)


def _is_indices(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in value)


def _values(fields: Dict[str, Any], field: str) -> Tuple[float, float, float]:
    return cast(Tuple[float, float, float], tuple(float(x) for x in fields[field]))


def _from_folder(part: str, fields: Dict[str, Any], data_dir: str) -> LocalData:
    found = read_published(data_dir, fields["dataset"])
    classes: Sequence[str] = fields.get("classes", found.classes)
    splits = []
    for split, whole in (("train", found.train), ("test", found.test)):
        indices = np.array(fields[split]["indices"], dtype=np.int64)
        if len(indices) > 0 and int(indices.max()) >= len(whole):
            damaged(
                data_dir,
                "holds {} {} images, but {} asks for number {}".format(len(whole), split, part, int(indices.max())),
                "Put the data set there that the study was made with.",
            )
        images = whole.take(indices)
        check_labels(data_dir, images.labels, len(classes), "Put the data set there that {} names.".format(part))
        splits.append(images)
    return LocalData(
        fields["dataset"], tuple(classes), splits[0], splits[1], _values(fields, "mean"), _values(fields, "std")
    )


def _from_arrays(part: str, fields: Dict[str, Any], data_dir: str) -> LocalData:
    splits = []
    for split in ("train", "test"):
        pixels_path, pixels = _array(data_dir, fields[split]["images"])
        labels_path, labels = _array(data_dir, fields[split]["labels"])
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (1, 3):
            damaged(pixels_path, _found(pixels, "uint8 (N, H, W, 1 or 3)"), SEND_AGAIN)
        if pixels.shape[1] != pixels.shape[2] or pixels.shape[1] not in SIDES:
            damaged(pixels_path, _found(pixels, "images of 32×32 or 28×28"), SEND_AGAIN)
        wide = np.dtype(label_type(len(fields["classes"])))
        if labels.dtype != wide or labels.shape != (len(pixels),):
            damaged(labels_path, _found(labels, "{} ({},)".format(wide, len(pixels))), SEND_AGAIN)
        check_labels(labels_path, labels, len(fields["classes"]), SEND_AGAIN)
        splits.append(ImageSet(pixels, labels))
    return LocalData(
        fields["dataset"],
        tuple(fields["classes"]),
        splits[0],
        splits[1],
        _values(fields, "mean"),
        _values(fields, "std"),
    )


def _found(array: np.ndarray, expected: str) -> str:
    return "expected {}, found {} {}".format(expected, array.dtype, tuple(array.shape))


def _array(data_dir: str, sha256: str) -> Tuple[str, np.ndarray]:
    path = os.path.join(data_dir, sha256 + ".npy")
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for chunk in iter(lambda: file.read(_CHUNK), b""):
                digest.update(chunk)
            if digest.hexdigest() != sha256:
                damaged(path, "has the SHA-256 {}, not that of its name".format(digest.hexdigest()), SEND_AGAIN)
            file.seek(0)
            return path, np.load(file, allow_pickle=False)
    except FileNotFoundError:
        missing(path, "is not there", SEND_AGAIN)
    except OSError as error:
        missing(path, "cannot be read ({})".format(error.strerror), "Check its permissions.")
    except ValueError as error:
        damaged(path, "is no array of numbers ({})".format(error), SEND_AGAIN)
