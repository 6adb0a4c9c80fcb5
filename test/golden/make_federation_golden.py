"""Golden values for the averages of src-main/federation, made by flwr 1.11.1 and numpy.

Run with the interpreter of that flwr: <venv>/bin/python test/golden/make_federation_golden.py
Writes federation.json beside this file: updates of three clients (float32 layers and a counter), what
flwr.server.strategy.aggregate.aggregate makes of them, and the same mean in float64.
"""
import json
import pathlib

import flwr
import numpy as np
from flwr.server.strategy.aggregate import aggregate, aggregate_median, aggregate_trimmed_avg

SHAPES = [(4, 3, 2), (5,), (1,), (2, 7)]

rng = np.random.default_rng(20240711)
updates = []
for examples in (600, 37, 1421):
    layers = [(rng.standard_normal(s) * 10.0 ** rng.integers(-4, 3, s)).astype(np.float32) for s in SHAPES]
    updates.append((layers, examples))


def plain(layers):
    return [[float(v) for v in np.asarray(layer).ravel()] for layer in layers]


total = sum(n for _, n in updates)
exact = [
    sum(layers[i].astype(np.float64) * n for layers, n in updates) / total for i in range(len(SHAPES))
]
golden = {
    "made_with": {"flwr": flwr.__version__, "numpy": np.__version__},
    "shapes": [list(s) for s in SHAPES],
    "updates": [{"examples": n, "layers": plain(layers)} for layers, n in updates],
    "aggregate": plain(aggregate(updates)),
    "float64_mean": plain(exact),
    "median": plain(aggregate_median(updates)),
    "trimmed": plain(aggregate_trimmed_avg(updates, 0.34)),
}
path = pathlib.Path(__file__).with_name("federation.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
