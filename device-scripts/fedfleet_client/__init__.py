"""Fedfleet's client: trains on one device's own images and answers a Flower server.

How to add a model: its class in models.py (features, head, and parameters with the order, names and shapes of the lab's
own src-main/learning/models) and a line in MODELS; the golden vectors of test/golden then cover it.
How to add a loss: its settings in instruction.py, its value in losses.py, its line in training.py.
How to add a data format: a module in data/ with `recognise` and `read`, and a line in data/published.py.

Python 3.8 to 3.12, PyTorch 1.10 to 2.x, flwr 1.8 to 1.11. The modules that refuse a wrong command line
or missing data import neither torch nor flwr, which take seconds to load on a small board.
"""

__version__ = "1.0.0"
