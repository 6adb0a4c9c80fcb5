"""A Flower client that reports from evaluate what a researcher might: a figure of its own, and things that are none.

Its model is one array of four floats; rank10 grows by 0.2 a round.
"""

import sys

import flwr
import numpy as np


class Reporting(flwr.client.NumPyClient):
    def get_parameters(self, config=None):
        return [np.zeros(4, dtype=np.float32)]

    def fit(self, parameters, config):
        return [parameters[0] + np.float32(1)], 10, {}

    def evaluate(self, parameters, config):
        metrics = {
            "rank10": 0.2 * int(config["server_round"]),
            "note": "x",
            "nan": float("nan"),
        }
        return 1.0, 10, metrics


flwr.client.start_numpy_client(server_address=sys.argv[1], client=Reporting())
