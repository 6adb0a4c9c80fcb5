"""Writes learning.json: what PyTorch makes of the lab's models, losses and optimizers.

Run: /usr/bin/python3 test/golden/make_learning_golden.py
Weights and images come from formulas, so the file holds results only: logits, losses, and of every tensor after
the steps its sum, its sum of magnitudes and a few of its elements.
"""
import copy
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import torch_models as tm

torch.set_num_threads(2)
BATCH = {"Net": 12, "FedAvgNet": 8, "ResNet8": 8, "ResNet18": 6}
SGD = {"kind": "sgd", "lr": 0.02, "momentum": 0.9, "nesterov": False, "weight_decay": 0.001}
# Two steps of a deep network on six images double any rounding difference many times over: a smaller step.
LR = {"Net": 0.02, "FedAvgNet": 0.02, "ResNet8": 0.02, "ResNet18": 0.002}
NTD = {"tau": 2.0, "beta": 0.7, "tau_squared": True}
OPTIMIZERS = {
    "sgd": {"kind": "sgd", "lr": 0.05},
    "sgd-decay": {"kind": "sgd", "lr": 0.05, "weight_decay": 0.01},
    "sgd-momentum": SGD,
    "sgd-nesterov": {**SGD, "nesterov": True},
    "adam": {"kind": "adam", "lr": 0.002},
    "adam-decay": {"kind": "adam", "lr": 0.002, "weight_decay": 0.01},
    "rmsprop": {"kind": "rmsprop", "lr": 0.0005},
    "rmsprop-momentum": {"kind": "rmsprop", "lr": 0.0005, "momentum": 0.9, "weight_decay": 0.01},
}


def positions(count):
    """Up to six positions in a tensor of `count` elements, the same in TypeScript."""
    if count <= 6:
        return list(range(count))
    return [int(v) for v in tm.hash32(np.arange(6, dtype=np.uint32) + np.uint32(count)) % np.uint32(count)]


def summary(state):
    result = {}
    for name, tensor in state.items():
        flat = tensor.detach().double().reshape(-1).numpy()
        result[name] = {
            "sum": float(flat.sum()),
            "magnitude": float(np.abs(flat).sum()),
            "values": [float(flat[i]) for i in positions(len(flat))],
        }
    return result


def plain_logits(model, x):
    return model(x)


def train(name, steps, optimizer, loss, logits_of=plain_logits):
    """`steps` steps on one batch; returns the loss before each and the state after all."""
    pixels, labels = tm.formula_images(BATCH[name])
    x, y = tm.normalise(pixels), torch.from_numpy(labels)
    model = tm.build(name)
    model.load_state_dict(tm.formula_state(model))
    teacher = copy.deepcopy(model).eval()
    with torch.no_grad():
        targets = logits_of(teacher, x)
    start = [p.detach().clone() for p in model.parameters()]
    model.train()
    step = tm.optimizer_of(parameters=model.parameters(), **optimizer)
    losses = []
    for _ in range(steps):
        step.zero_grad()
        logits = logits_of(model, x)
        if loss["kind"] == "ce":
            value = F.cross_entropy(logits, y)
        elif loss["kind"] == "prox":
            distance = sum(((p - g) ** 2).sum() for p, g in zip(model.parameters(), start))
            value = F.cross_entropy(logits, y) + loss["mu"] / 2 * distance
        else:
            settings = {k: v for k, v in loss.items() if k != "kind"}
            value = tm.not_true_distillation(logits, targets, y, **settings)
        value.backward()
        step.step()
        losses.append(value.item())
    return {"losses": losses, "after": summary(model.state_dict())}


def evaluate(name, logits_of=plain_logits):
    """Logits and loss in evaluation mode."""
    pixels, labels = tm.formula_images(BATCH[name])
    model = tm.build(name)
    model.load_state_dict(tm.formula_state(model))
    model.eval()
    with torch.no_grad():
        logits = logits_of(model, tm.normalise(pixels))
    loss = F.cross_entropy(logits.double(), torch.from_numpy(labels)).item()
    return {"logits": logits.double().tolist(), "loss": loss}


def normalised(name, sgd):
    """FedFN: logits, loss, and what training makes of the weights, also under a teacher that is normalised as well."""
    steps = {
        "ce1": train(name, 1, sgd, {"kind": "ce"}, tm.normalised_logits),
        "ce2": train(name, 2, sgd, {"kind": "ce"}, tm.normalised_logits),
        "ntd2": train(name, 2, sgd, {"kind": "ntd", **NTD}, tm.normalised_logits),
    }
    return {**evaluate(name, tm.normalised_logits), **steps}


def main():
    golden = {
        "torch": torch.__version__.split("a")[0],
        "batch": BATCH,
        "lr": LR,
        "mean": tm.MEAN,
        "std": tm.STD,
        "models": {},
        "optimizers": {},
    }
    for name in BATCH:
        pixels, labels = tm.formula_images(BATCH[name])
        sgd = {**SGD, "lr": LR[name]}
        golden["models"][name] = {
            "pixelSum": int(pixels.sum()),
            "labels": labels.tolist(),
            **evaluate(name),
            "start": summary(tm.formula_state(tm.build(name))) if name != "ResNet18" else {},
            "ce1": train(name, 1, sgd, {"kind": "ce"}),
            "ntd1": train(name, 1, sgd, {"kind": "ntd", **NTD}),
            "ntd2": train(name, 2, sgd, {"kind": "ntd", **NTD}),
        }
    for name in ("Net", "ResNet8"):
        golden["models"][name]["normalised"] = normalised(name, {**SGD, "lr": LR[name]})
    golden["models"]["Net"]["prox2"] = train("Net", 2, SGD, {"kind": "prox", "mu": 0.3})
    for name, settings in OPTIMIZERS.items():
        golden["optimizers"][name] = {"settings": settings, **train("Net", 3, settings, {"kind": "ce"})}
    target = pathlib.Path(__file__).with_name("learning.json")
    target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
