"""Float batches from uint8 images, as src-main/learning/batches.ts makes them."""

from typing import Sequence, Tuple

import numpy as np
import torch

from .data.images import ImageSet
from .exits import Refusal
from .inputs import ModelInput


class Batches:
    """Normalised batches on one device: (value / 255 − mean) / std by channel, fitted into the model's input: black around
    images that are smaller, and the one channel of greyscale images repeated where the model takes three.
    """

    def __init__(
        self,
        images: ImageSet,
        model_input: ModelInput,
        mean: Sequence[float],
        std: Sequence[float],
        device: torch.device,
    ) -> None:
        """Refusal for images that the model cannot take."""
        _, height, width, channels = images.pixels.shape
        if channels > model_input.channels:
            raise Refusal(
                "the images have {} channels, the model takes {}".format(channels, model_input.channels)
            )
        rows, columns = model_input.border(height, width)
        self._images = images
        self._input = model_input
        self._inside = slice(rows, rows + height), slice(columns, columns + width)
        self._bordered = rows > 0 or columns > 0
        self._device = device
        values = np.arange(256) / 255
        # computed in float64 and rounded once, as the lab does it
        table = np.stack([(values - m) / s for m, s in zip(mean, std)]).astype(np.float32)
        self._table = table[: model_input.channels]

    def take(self, indices: np.ndarray) -> Tuple[torch.Tensor, torch.Tensor]:
        """(B, C, H, W) float32 of the model's input, and (B,) int64 labels, of the samples with these indices, in order."""
        pixels = self._images.pixels[indices]
        channels = self._input.channels
        out = np.empty((len(pixels), channels, self._input.height, self._input.width), np.float32)
        if self._bordered:
            out[:] = self._table[:, 0].reshape(1, channels, 1, 1)
        rows, columns = self._inside
        for channel in range(channels):
            bytes_of = pixels[:, :, :, channel if pixels.shape[3] > 1 else 0]
            out[:, channel, rows, columns] = self._table[channel][bytes_of]
        labels = self._images.labels[indices].astype(np.int64)
        return torch.from_numpy(out).to(self._device), torch.from_numpy(labels).to(self._device)
