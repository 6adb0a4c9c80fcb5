"""Loss, accuracy and counts by class in evaluation mode."""

from dataclasses import dataclass
from typing import List, Sequence, Tuple

import numpy as np
import torch

from .batches import Batches
from .data.images import ImageSet
from .exits import Refusal
from .models import Model

DEFAULT_BATCH = 128


@dataclass(frozen=True)
class Evaluation:
    """loss: mean cross-entropy in nats. per_class: (correct, total) by class index."""

    loss: float
    accuracy: float
    examples: int
    correct: int
    per_class: List[Tuple[int, int]]


def check_labels(images: ImageSet, classes: int) -> None:
    """Refusal where a label does not fit the model's number of classes."""
    if len(images) > 0 and int(images.labels.max()) >= classes:
        at = int(images.labels.argmax())
        raise Refusal("sample {} has label {}, the model has {} classes".format(at, images.labels[at], classes))


@torch.no_grad()
def logits_of(model: Model, batches: Batches, count: int, batch_size: int, device: torch.device) -> torch.Tensor:
    """(count, C) in evaluation mode, on `device`; the model is left in the mode that it was in."""
    training = model.training
    model.eval()
    parts = []
    for start in range(0, count, batch_size):
        x, _ = batches.take(np.arange(start, min(start + batch_size, count)))
        parts.append(model(x).to(device))
    model.train(training)
    return torch.cat(parts)


def evaluate(
    model: Model,
    images: ImageSet,
    mean: Sequence[float],
    std: Sequence[float],
    device: torch.device,
    classes: int,
    batch_size: int = DEFAULT_BATCH,
) -> Evaluation:
    """Over all images, in their order, summed in float64. Refusal where a label does not fit."""
    check_labels(images, classes)
    batches = Batches(images, model.input, mean, std, device)
    logits = logits_of(model, batches, len(images), batch_size, torch.device("cpu"))
    z = logits.numpy().astype(np.float64)
    labels = images.labels.astype(np.int64)
    top = z.max(axis=1, keepdims=True)
    norm = top[:, 0] + np.log(np.exp(z - top).sum(axis=1))
    loss = float((norm - z[np.arange(len(labels)), labels]).sum())
    right = z.argmax(axis=1) == labels
    total = np.bincount(labels, minlength=classes)
    correct = np.bincount(labels[right], minlength=classes)
    return Evaluation(
        loss=loss / len(labels),
        accuracy=float(right.sum()) / len(labels),
        examples=len(labels),
        correct=int(right.sum()),
        per_class=[(int(c), int(t)) for c, t in zip(correct, total)],
    )
