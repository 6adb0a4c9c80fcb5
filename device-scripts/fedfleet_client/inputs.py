"""The images that a model takes, and where a smaller one is placed."""

from dataclasses import dataclass
from typing import Tuple

from .exits import Refusal


@dataclass(frozen=True)
class ModelInput:
    """channels: 3, or 1 for greyscale. sizes: the sides of the square images that it takes; smaller ones get a border."""

    height: int
    width: int
    channels: int
    sizes: Tuple[int, ...]

    def border(self, height: int, width: int) -> Tuple[int, int]:
        """Rows and columns of black on every side of an image. Refusal for a size that the model cannot take."""
        if height != width or height not in self.sizes:
            raise Refusal(
                "images must be {}, got {}×{}".format(
                    " or ".join("{0}×{0}".format(side) for side in self.sizes), height, width
                )
            )
        return (self.height - height) // 2, (self.width - width) // 2


# 32×32 in three channels, as CIFAR has it; 28×28 images get two black pixels on every side.
CIFAR_INPUT = ModelInput(32, 32, 3, (32, 28))
