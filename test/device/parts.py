"""Writes parts of a data set, as the lab does."""

import hashlib
import io
import json

import numpy as np


def put(folder, array):
    """Saves an array under its SHA-256, which is returned."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    (folder / f"{sha256}.npy").write_bytes(buffer.getvalue())
    return sha256


def images_of(count, side=32, channels=3, classes=10, seed=0):
    """uint8 (N, side, side, channels) and uint8 labels (N,)."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count).astype(np.uint8)
    images = random.integers(0, 120, (count, side, side, channels))
    # brighter by class: there is something to learn
    return (images + 13 * labels.reshape(-1, 1, 1, 1)).clip(0, 255).astype(np.uint8), labels


def part_of(folder, train=60, test=20, change=None):
    """A part file of made-up images and the files that it names; returns its path and its fields."""
    fields = {
        "version": 1,
        "dataset": "made-up",
        "classes": [str(c) for c in range(10)],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
    }
    for split, count in (("train", train), ("test", test)):
        images, labels = images_of(count, seed=len(split))
        fields[split] = {"images": put(folder, images), "labels": put(folder, labels)}
    fields.update(change or {})
    path = folder / "part.json"
    path.write_text(json.dumps(fields))
    return path, fields
