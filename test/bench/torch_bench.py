"""PyTorch's side of the learning benchmark: one JSON task per line in, seconds per step or pass out.

A task is {"task": "train" | "evaluate", "model": ..., "images": n, "batch": b}. The images are normalised
beforehand, which the lab's side does while it runs; everything else is what a training loop is made of.
"""
import json
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
import torch_models as tm  # noqa: E402

torch.set_num_threads(2)
torch.manual_seed(1)
prepared = {}


def prepare(name, count):
    key = (name, count)
    if key not in prepared:
        pixels, labels = tm.formula_images(count)
        prepared[key] = (tm.build(name), tm.normalise(pixels), torch.from_numpy(labels))
    return prepared[key]


def train(model, x, y, batch):
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-5)
    order = torch.randperm(len(x))
    steps, total = 0, 0.0
    for start in range(0, len(x), batch):
        chosen = order[start : start + batch]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[chosen]), y[chosen])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chosen)
        steps += 1
    return steps


def evaluate(model, x, y, batch):
    model.eval()
    loss, correct = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(x), batch):
            logits = model(x[start : start + batch])
            labels = y[start : start + batch]
            loss += F.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
    return 1


print(json.dumps({"ready": f"PyTorch {torch.__version__.split('a')[0]}"}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    model, x, y = prepare(task["model"], task["images"])
    started = time.perf_counter()
    units = (train if task["task"] == "train" else evaluate)(model, x, y, task["batch"])
    print(json.dumps({"milliseconds": (time.perf_counter() - started) * 1000 / units}), flush=True)
