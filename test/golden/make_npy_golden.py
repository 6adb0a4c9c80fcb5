#!/usr/bin/python3
"""Writes npy.json: arrays as NumPy itself saves them, for test/main/wire/npy.test.ts."""
import base64
import io
import json
import os

import numpy as np

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"]
SHAPES = [(), (1,), (3,), (0,), (0, 3), (2, 3), (4, 3, 2), (2, 1, 3, 2), (1234,)]


def save(array, version=None):
    buffer = io.BytesIO()
    if version is None:
        np.save(buffer, array, allow_pickle=array.dtype.hasobject)
    else:
        np.lib.format.write_array(buffer, array, version=version)
    return base64.b64encode(buffer.getvalue()).decode()


def values(dtype, shape):
    rng = np.random.default_rng(7)
    return (rng.random(shape) * 100 - (0 if dtype.startswith("u") else 50)).astype(dtype)


def case(name, array, stored, version=None):
    """`bytes` are the little-endian elements in C order that a reader must come to."""
    plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "name": name,
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "bytes": base64.b64encode(plain.tobytes()).decode(),
        "npy": save(stored, version),
    }


accepted = []
for dtype in DTYPES:
    for shape in SHAPES:
        array = values(dtype, shape)
        accepted.append(case(f"{dtype} {shape}", array, array))
    array = values(dtype, (4, 3, 2))
    accepted.append(case(f"{dtype} Fortran order", array, np.asfortranarray(array)))
    accepted.append(case(f"{dtype} big-endian", array, array.astype(array.dtype.newbyteorder(">"))))
    big = np.asfortranarray(array.astype(array.dtype.newbyteorder(">")))
    accepted.append(case(f"{dtype} big-endian in Fortran order", array, big))
    accepted.append(case(f"{dtype} format 2.0", array, array, (2, 0)))

refused = [
    ("object", np.array([1, "a", None], dtype=object), None),
    ("structured", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]), None),
    ("unicode", np.array(["a", "bc"]), None),
    ("bytes", np.array([b"a", b"bc"]), None),
    ("complex", np.zeros(2, dtype=np.complex64), None),
    ("datetime", np.zeros(2, dtype="datetime64[s]"), None),
    ("long double", np.zeros(2, dtype=np.longdouble), None),
    ("format 3.0", np.zeros(2, dtype=np.float32), (3, 0)),
]
out = {
    "numpy": np.__version__,
    "accepted": accepted,
    "refused": [{"name": name, "npy": save(array, version)} for name, array, version in refused],
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npy.json")
with open(path, "w") as file:
    json.dump(out, file, indent=1)
    file.write("\n")
