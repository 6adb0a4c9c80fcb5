"""Reads a safetensors file with nothing but the standard library and numpy, after the format's description.

Usage: read_safetensors.py FILE -> JSON on stdout: {"metadata": {...}, "tensors": {name: {dtype, shape, sha256, sum}}}.
With the reference implementation installed, what it reads must be the same.
"""
import hashlib
import json
import struct
import sys

import numpy as np

DTYPES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8",
    "U8": "<u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "|b1",
}

with open(sys.argv[1], "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
assert (8 + length) % 8 == 0, "the tensors' bytes must begin at a multiple of 8"
header = json.loads(data[8 : 8 + length].decode("utf-8"))
body = data[8 + length :]
metadata = header.pop("__metadata__", {})
tensors = {}
used = 0
for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    begin, end = entry["data_offsets"]
    assert begin == used, name + " leaves a gap or overlaps"
    dtype = np.dtype(DTYPES[entry["dtype"]])
    assert begin % dtype.itemsize == 0, name + " is not aligned, which PyTorch refuses"
    array = np.frombuffer(body[begin:end], dtype).reshape(entry["shape"])
    tensors[name] = array
    used = end
assert used == len(body), "bytes that belong to nobody"

checked_with = ["numpy"]
try:
    from safetensors.numpy import load_file
except ImportError:
    pass
else:
    loaded = load_file(sys.argv[1])
    assert loaded.keys() == tensors.keys()
    for name, array in tensors.items():
        assert loaded[name].dtype == array.dtype and loaded[name].shape == array.shape, name
        assert loaded[name].tobytes() == array.tobytes(), name
    checked_with.append("safetensors")

json.dump(
    {
        "checked_with": checked_with,
        "metadata": metadata,
        "tensors": {
            name: {
                "dtype": array.dtype.name,
                "shape": list(array.shape),
                "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
            }
            for name, array in tensors.items()
        },
    },
    sys.stdout,
)
