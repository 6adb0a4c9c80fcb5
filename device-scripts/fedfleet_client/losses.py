"""Local losses on logits. Means over the batch, in nats."""

from typing import Iterable, Optional

import torch
import torch.nn.functional as F


def not_true_distillation(
    logits: torch.Tensor, teacher: torch.Tensor, labels: torch.Tensor, tau: float
) -> torch.Tensor:
    """FedNTD's term (Lee et al., NeurIPS 2022) without its weight:
    (1/B) Σ_b Σ_{c≠y} p_c (log p_c − log q_c), the true class removed before both softmaxes at temperature `tau`.

    logits, teacher: (B, C), the teacher's from the frozen global model; labels: (B,) int64.
    """
    size, classes = logits.shape
    others = torch.arange(classes, device=logits.device).expand(size, classes)
    others = others[others != labels.unsqueeze(1)].view(size, classes - 1)
    log_q = F.log_softmax(logits.gather(1, others) / tau, dim=1)
    log_p = F.log_softmax(teacher.gather(1, others) / tau, dim=1)
    return (log_p.exp() * (log_p - log_q)).sum() / size


def local_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    teacher: Optional[torch.Tensor] = None,
    tau: float = 1.0,
    beta: float = 1.0,
    tau_squared: bool = True,
) -> torch.Tensor:
    """Cross-entropy; with `teacher` plus beta · T · not-true distillation, T = tau² or 1."""
    loss = F.cross_entropy(logits, labels)
    if teacher is None:
        return loss
    weight = beta * (tau * tau if tau_squared else 1.0)
    return loss + weight * not_true_distillation(logits, teacher, labels, tau)


def proximal_term(
    parameters: Iterable[torch.Tensor], global_parameters: Iterable[torch.Tensor], mu: float
) -> torch.Tensor:
    """FedProx (Li et al., MLSys 2020): (mu / 2) · ‖w − w_global‖² over the trainable parameters."""
    total = None
    for w, g in zip(parameters, global_parameters):
        squares = ((w - g) ** 2).sum()
        total = squares if total is None else total + squares
    return (mu / 2) * total
