"""Float batches out of uint8 pictures, as src-main/learning/batches.ts makes them."""

from typing import Sequence, Tuple

import numpy as np
import torch

from .data.pictures import Pictures

SIDE = 32


class Batches:
    """Normalised batches on one device: (value / 255 − mean) / std by channel; one-channel pictures get three equal
    channels; 28×28 pictures get a border of two black pixels.
    """

    def __init__(
        self, pictures: Pictures, mean: Sequence[float], std: Sequence[float], device: torch.device
    ) -> None:
        self._pictures = pictures
        self._device = device
        values = np.arange(256) / 255
        # computed in float64 and rounded once, as the lab does it
        self._table = np.stack([(values - m) / s for m, s in zip(mean, std)]).astype(np.float32)

    def take(self, indices: np.ndarray) -> Tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, 32, 32) float32 and (B,) int64 of the samples with these indices, in this order."""
        images = self._pictures.images[indices]
        size, side, channels = len(images), images.shape[1], images.shape[3]
        border = (SIDE - side) // 2
        out = np.empty((size, 3, SIDE, SIDE), np.float32)
        if border > 0:
            out[:] = self._table[:, 0].reshape(1, 3, 1, 1)
        inside = slice(border, border + side)
        for channel in range(3):
            bytes_of = images[:, :, :, channel if channels == 3 else 0]
            out[:, channel, inside, inside] = self._table[channel][bytes_of]
        labels = self._pictures.labels[indices].astype(np.int64)
        return torch.from_numpy(out).to(self._device), torch.from_numpy(labels).to(self._device)
