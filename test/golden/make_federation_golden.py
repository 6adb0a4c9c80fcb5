"""Golden values for the averages of src-main/federation, made by flwr 1.11.1 and numpy.

Run with the interpreter of that flwr: <venv>/bin/python test/golden/make_federation_golden.py
Writes federation.json beside this file: updates of three clients (float32 layers), what
flwr.server.strategy.aggregate.aggregate makes of them, and the same mean in float64. For FedExP, which flwr does not
ship, the formula of the paper in numpy float64 on updates of its own.
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


def fedexp(global_layers, clients, epsilon, buffers):
    """Jhunjhunwala et al., ICLR 2023, Algorithm 1, weighted by examples; layers in `buffers` take the plain mean."""
    examples = sum(n for _, n in clients)
    shares = [n / examples for _, n in clients]
    mean = [
        sum(p * layers[i].astype(np.float64) for (layers, _), p in zip(clients, shares))
        for i in range(len(global_layers))
    ]

    def flat(layers):
        return np.concatenate(
            [
                (layer.astype(np.float64) - start.astype(np.float64)).ravel()
                for i, (layer, start) in enumerate(zip(layers, global_layers))
                if i not in buffers
            ]
        )

    squares = sum(p * float(flat(layers) @ flat(layers)) for (layers, _), p in zip(clients, shares))
    length = float(flat(mean) @ flat(mean))
    step = max(1.0, squares / (2 * (length + epsilon)))
    result = [
        m if i in buffers else start + step * (m - start) for i, (m, start) in enumerate(zip(mean, global_layers))
    ]
    return {"epsilon": epsilon, "serverStep": step, "aggregate": plain(result)}


start = [rng.standard_normal(s).astype(np.float32) for s in SHAPES]
drifted = []
for examples in (500, 430, 610, 520, 37, 480):
    layers = [(g + 0.05 * rng.standard_normal(g.shape)).astype(np.float32) for g in start]
    drifted.append((layers, examples))

golden = {
    "made_with": {"flwr": flwr.__version__, "numpy": np.__version__},
    "shapes": [list(s) for s in SHAPES],
    "updates": [{"examples": n, "layers": plain(layers)} for layers, n in updates],
    "aggregate": plain(aggregate(updates)),
    "float64_mean": plain(exact),
    "median": plain(aggregate_median(updates)),
    "trimmed": plain(aggregate_trimmed_avg(updates, 0.34)),
    "fedexp": {
        "global": plain(start),
        "updates": [{"examples": n, "layers": plain(layers)} for layers, n in drifted],
        "buffers": [1],
        "rounds": [fedexp(start, drifted, epsilon, {1}) for epsilon in (0.0, 0.001, 0.01, 1.0)],
    },
}
path = pathlib.Path(__file__).with_name("federation.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
