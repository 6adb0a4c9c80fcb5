"""An ordinary Flower client that trains the PyTorch Net, for any flwr from 0.19 to today.

It uses nothing of Fedfleet: only what a researcher's own client would have. What it received and what it answered
is kept in --out, so that a test can check the server's arithmetic.

With --keys original it reads exactly the configuration keys of the original repository, with the same casts.
"""

import argparse
import os

import flwr
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def to_tensor(array):
    # numpy 2 and torch 1.13 cannot share memory: lists are understood by every pair of versions.
    return torch.tensor(np.asarray(array).tolist(), dtype=torch.float32)


def to_array(tensor):
    return np.array(tensor.detach().tolist(), dtype=np.float32)


class Client(flwr.client.NumPyClient):
    def __init__(self, args) -> None:
        torch.manual_seed(args.seed)
        self.args = args
        self.model = Net()
        self.round = 0
        # Pictures that can be learnt: the class is the brightest of ten patches.
        count = args.examples
        self.labels = torch.arange(count) % 10
        self.pictures = torch.randn(count, 3, 32, 32) * 0.1
        for i, label in enumerate(self.labels.tolist()):
            self.pictures[i, :, 3 * label : 3 * label + 3, :] += 1.0

    def get_parameters(self, config=None):
        return [to_array(v) for v in self.model.state_dict().values()]

    def load(self, parameters):
        state = {k: to_tensor(v) for k, v in zip(self.model.state_dict().keys(), parameters)}
        self.model.load_state_dict(state, strict=True)

    def keep(self, name, arrays):
        np.savez(os.path.join(self.args.out, f"{name}-{self.round}.npz"), *arrays)

    def fit(self, parameters, config):
        self.round += 1
        self.keep("received", parameters)
        self.load(parameters)
        epochs = int(config["epochs"])
        lr = float(config["lr"])
        batch_size = int(config["batch_size"])
        if self.args.keys == "original":
            assert int(config["epoch_global"]) == self.round, config["epoch_global"]
            assert bool(config["pin_memory"]) is False, config["pin_memory"]
            assert config["optimizer"] == "SGD", config["optimizer"]
            loader = torch.utils.data.DataLoader(
                torch.utils.data.TensorDataset(self.pictures, self.labels),
                batch_size=batch_size,
                shuffle=True,
                num_workers=int(config["num_workers"]),
                pin_memory=bool(config["pin_memory"]),
            )
        else:
            loader = [
                (self.pictures[i : i + batch_size], self.labels[i : i + batch_size])
                for i in range(0, len(self.labels), batch_size)
            ]
        optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)
        for _ in range(epochs):
            for pictures, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(self.model(pictures), labels).backward()
                optimizer.step()
        answer = self.get_parameters()
        self.keep("answered", answer)
        return answer, len(self.labels), {"duration": 0.5}

    def evaluate(self, parameters, config):
        self.keep("evaluated", parameters)
        self.load(parameters)
        with torch.no_grad():
            logits = self.model(self.pictures)
            loss = float(F.cross_entropy(logits, self.labels))
            accuracy = float((logits.argmax(1) == self.labels).float().mean())
        return loss, len(self.labels), {"accuracy": accuracy}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--keys", choices=["plain", "original"], default="plain")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.set_num_threads(1)
    flwr.client.start_numpy_client(server_address=args.server, client=Client(args))


if __name__ == "__main__":
    main()
