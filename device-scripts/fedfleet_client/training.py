"""Local training, step by step as src-main/learning/training.ts does it."""

import math
from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence

import numpy as np
import torch
from torch import nn

from .batches import Batches
from .data.images import ImageSet
from .evaluation import check_labels, logits_of
from .exits import Refusal
from .instruction import Fit, Optimizer
from .losses import local_loss, proximal_term
from .models import Model, has_batch_norm
from .seeds import Random, derive_seed


@dataclass(frozen=True)
class Trained:
    """examples: distinct samples that were trained on. loss, accuracy: means over the last epoch, while training."""

    examples: int
    loss: float
    accuracy: float


class Diverged(Refusal):
    """The loss or a weight became NaN or infinite; training stopped there."""

    def __init__(self, epoch: int, batch: int, what: str) -> None:
        super().__init__(
            "training diverged in local epoch {}, batch {}: {}; lower the learning rate".format(epoch, batch, what)
        )


def make_optimizer(settings: Optimizer, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
    """With PyTorch's defaults for what a study does not set. Its state starts empty every round."""
    if settings.kind == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=settings.lr,
            momentum=settings.momentum,
            # PyTorch refuses Nesterov momentum of 0; to the lab that is plain SGD
            nesterov=settings.nesterov and settings.momentum > 0,
            weight_decay=settings.weight_decay,
        )
    if settings.kind == "adam":
        return torch.optim.Adam(parameters, lr=settings.lr, weight_decay=settings.weight_decay)
    return torch.optim.RMSprop(
        parameters, lr=settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay
    )


def train(
    model: Model,
    fit: Fit,
    images: ImageSet,
    mean: Sequence[float],
    std: Sequence[float],
    device: torch.device,
    on_step: Optional[Callable[[float, float], None]] = None,
) -> Trained:
    """Trains `model`, which holds the round's weights and is on `device`, in place.

    Every epoch takes the samples in a new order, drawn from the recipe's seed. The last, smaller batch is kept, except
    one of a single sample for a model with batch normalisation. on_step(fraction from 0 to 1, mean loss so far in this
    epoch) is called after every batch. Diverged when the loss or a weight is not finite.
    """
    count, size, loss = len(images), fit.batch_size, fit.loss
    check_labels(images, fit.common.classes)
    batches = Batches(images, model.input, mean, std, device)
    # With weight 0 the extra term is left out altogether, so that such a run equals FedAvg's.
    teacher = logits_of(model, batches, count, size, device) if loss.kind == "ntd" and loss.beta != 0 else None
    parameters: List[torch.Tensor] = list(model.parameters())
    proximal = loss.kind == "prox" and loss.mu != 0
    start = [p.detach().clone() for p in parameters] if proximal else []
    optimizer = make_optimizer(fit.optimizer, parameters)
    smallest = 2 if has_batch_norm(model) else 1
    steps = math.ceil(count / size)
    model.train()
    examples, total, correct = 0, 0.0, 0
    for epoch in range(fit.epochs):
        order = np.array(Random(derive_seed(fit.seed, "epoch", epoch)).shuffle(list(range(count))), dtype=np.int64)
        examples, total, correct = 0, 0.0, 0
        for step in range(steps):
            chosen = order[step * size : (step + 1) * size]
            if len(chosen) < smallest:
                continue
            x, labels = batches.take(chosen)
            logits = model(x)
            distil = None if teacher is None else teacher[torch.from_numpy(chosen).to(teacher.device)]
            value = local_loss(logits, labels, distil, loss.tau, loss.beta, loss.tau_squared)
            if proximal:
                value = value + proximal_term(parameters, start, loss.mu)
            number = float(value)
            if not math.isfinite(number):
                raise Diverged(epoch + 1, step + 1, "the loss is {}".format(number))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += number * len(chosen)
            correct += int((logits.detach().argmax(1) == labels).sum())
            examples += len(chosen)
            if on_step is not None:
                on_step((epoch * steps + step + 1) / (fit.epochs * steps), total / examples)
    _check_finite(model, fit.epochs, steps)
    if examples == 0:
        return Trained(0, 0.0, 0.0)
    return Trained(examples, total / examples, correct / examples)


def _check_finite(model: nn.Module, epoch: int, batch: int) -> None:
    for name, tensor in model.state_dict().items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise Diverged(epoch, batch, "{} holds NaN or an infinite value".format(name))
