"""An unmodified Flower client for the tests: flwr 0.19 to today, whichever this Python has.

--mode numpy trains nothing: fit returns every array plus --add (by default 1), so that a test can foretell the
average; --elements makes the first array that large. --mode torch-net trains a small PyTorch network on data that
it draws from --seed. One JSON object a line on standard output tells what happened.
"""

import argparse
import json
import sys
import time

import flwr
import numpy as np


def say(**what):
    print(json.dumps(what), flush=True)


def version():
    try:
        from importlib.metadata import version as of

        return of("flwr")
    except Exception:
        return getattr(flwr, "__version__", "0")


class NumpyFit:
    """Arrays that a test can foretell, in every shape and dtype that real models send."""

    def __init__(self, args):
        self.args = args
        self.arrays = [
            np.full((args.elements,), float(args.seed), dtype=np.float32),
            np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
            np.array(args.seed, dtype=np.int64),
            np.zeros((0, 3), dtype=np.float32),
        ]

    def get(self):
        return self.arrays

    def fit(self, arrays, config):
        self.arrays = [np.asarray(a + a.dtype.type(self.args.add)) for a in arrays]
        return {"first": float(arrays[0].flat[0]), "sum": float(sum(float(a.sum()) for a in arrays))}

    def evaluate(self, arrays, config):
        return float(np.mean([a.mean() for a in arrays if a.size])), {"accuracy": 0.5}


class TorchNet:
    """A small network, through Python lists where this NumPy and PyTorch cannot share memory."""

    def __init__(self, args):
        import torch

        self.torch = torch
        torch.manual_seed(args.seed)
        torch.set_num_threads(1)
        self.net = torch.nn.Sequential(
            torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
        )
        self.x = torch.randn(96, 8)
        self.y = (self.x[:, 0] > 0).long() + (self.x[:, 1] > 0.5).long()

    def get(self):
        return [np.array(t.tolist(), dtype=str(t.dtype).replace("torch.", "")) for t in self.net.state_dict().values()]

    def load(self, arrays):
        state = self.net.state_dict()
        for (name, old), new in zip(list(state.items()), arrays):
            state[name] = self.torch.tensor(new.tolist(), dtype=old.dtype).reshape(old.shape)
        self.net.load_state_dict(state)

    def fit(self, arrays, config):
        self.load(arrays)
        self.net.train()
        optimizer = self.torch.optim.SGD(self.net.parameters(), lr=float(config.get("lr", 0.1)))
        for _ in range(int(config.get("epochs", 1))):
            for i in range(0, 96, 32):
                optimizer.zero_grad()
                loss = self.torch.nn.functional.cross_entropy(self.net(self.x[i : i + 32]), self.y[i : i + 32])
                loss.backward()
                optimizer.step()
        return {"loss": float(loss)}

    def evaluate(self, arrays, config):
        self.load(arrays)
        self.net.eval()
        with self.torch.no_grad():
            logits = self.net(self.x)
            loss = self.torch.nn.functional.cross_entropy(logits, self.y)
            right = (logits.argmax(1) == self.y).float().mean()
        return float(loss), {"accuracy": float(right)}


def checksum(arrays):
    """Of the arrays as they would be written in C order; the test computes the same."""
    import hashlib

    digest = hashlib.sha256()
    for a in arrays:
        digest.update(np.ascontiguousarray(a).tobytes())
    return digest.hexdigest()


def make_client(args):
    work = (TorchNet if args.mode == "torch-net" else NumpyFit)(args)
    modern = not version().startswith("0.")

    class Client(flwr.client.NumPyClient):
        # 0.19 asks without a configuration, 1.x with one.
        def get_parameters(self, config=None):
            say(event="get_parameters")
            return work.get()

        def get_properties(self, config):
            say(event="get_properties", config={k: repr(v) for k, v in config.items()})
            return {"join_token": args.token, "version": version()} if args.token else {"version": version()}

        def fit(self, parameters, config):
            if args.crash_in_fit:
                raise RuntimeError("crash on purpose")
            started = time.time()
            time.sleep(args.sleep)
            before = checksum(parameters)
            metrics = work.fit(parameters, config)
            say(
                event="fit",
                received=before,
                sent=checksum(work.get()),
                config={k: repr(v) for k, v in config.items()},
            )
            metrics["duration"] = time.time() - started
            metrics["big"] = -(2**40)
            metrics["name"] = "caf\u00e9"
            metrics["fine"] = True
            return work.get(), args.examples, metrics

        def evaluate(self, parameters, config):
            loss, metrics = work.evaluate(parameters, config)
            say(event="evaluate", received=checksum(parameters), loss=loss)
            return loss, args.examples, metrics

    return Client(), modern


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--mode", choices=["numpy", "torch-net"], default="numpy")
    parser.add_argument("--examples", type=int, default=10)
    parser.add_argument("--elements", type=int, default=4)
    parser.add_argument("--add", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sleep", type=float, default=0)
    parser.add_argument("--token", default="")
    parser.add_argument("--ca", default="")
    parser.add_argument("--crash-in-fit", action="store_true")
    args = parser.parse_args()
    client, modern = make_client(args)
    options = {}
    if args.ca:
        with open(args.ca, "rb") as file:
            options["root_certificates"] = file.read()
    say(event="start", version=version())
    if modern:
        flwr.client.start_client(
            server_address=args.server, client=client.to_client(), **({"insecure": True} if not args.ca else options)
        )
    else:
        flwr.client.start_numpy_client(args.server, client=client, **options)
    say(event="end")


if __name__ == "__main__":
    sys.exit(main())
