"""The lab's models, with exactly the parameters (names, order, shapes) of src-main/learning/models."""

import math
from typing import Callable, Dict, List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .exits import Refusal
from .inputs import CIFAR_INPUT, ModelInput
from .model_names import MODEL_NAMES, NORMALISED, PLAIN
from .seeds import Random, derive_seed


class Model(nn.Module):
    """Features, which turn images (N, C, H, W) into vectors (N, D), and a head, which turns those into logits.

    input: the images that it takes. feature: how the head sees the feature, "plain" as it is or "l2-normalised" at length
    1 (FedFN: Kim et al., FL@FM workshop at NeurIPS 2023).
    """

    input: ModelInput = CIFAR_INPUT
    feature: str = PLAIN

    def features(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def head(self, feature: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        feature = self.features(x)
        return self.head(F.normalize(feature) if self.feature == NORMALISED else feature)


class Net(Model):
    """LeNet-5 with ReLU, the small model of the original project. 62,006 parameters for ten classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        # The original widens the second hidden layer for CIFAR-100.
        hidden = 120 if classes == 100 else 84
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, hidden)
        self.fc3 = nn.Linear(hidden, classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        # ReLU is monotone, so it may come after the pooling, where a quarter of the elements remains.
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = F.relu(self.fc1(x.flatten(1)))
        return F.relu(self.fc2(x))

    def head(self, feature: torch.Tensor) -> torch.Tensor:
        return self.fc3(feature)


class FedAvgNet(Model):
    """The two-convolution CNN of the FedAvg and FedNTD papers, as FedNTD's code has it. 2,156,490 parameters."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2d_2 = nn.Conv2d(32, 64, 5, padding=2)
        self.linear_1 = nn.Linear(4096, 512)
        self.classifier = nn.Linear(512, classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(self.conv2d_1(x), 2)
        x = F.max_pool2d(self.conv2d_2(x), 2)
        return F.relu(self.linear_1(x.flatten(1)))

    def head(self, feature: torch.Tensor) -> torch.Tensor:
        return self.classifier(feature)


def _convolution(inputs: int, width: int, size: int, stride: int) -> nn.Conv2d:
    """Convolution without bias, He et al.'s normal over the fan-out, as the residual networks have it."""
    layer = nn.Conv2d(inputs, width, size, stride, size // 2, bias=False)
    nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / (size * size * width)))
    return layer


class _BasicBlock(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, width, 3, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _convolution(width, width, 3, 1)
        self.bn2 = nn.BatchNorm2d(width)
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(_convolution(inputs, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + shortcut)


class ResNet(Model):
    """Residual network of basic blocks (He et al. 2016) for 32×32: 3×3 stem with stride 1, no max-pooling."""

    def __init__(self, widths: Sequence[int], per_stage: int, classes: int) -> None:
        super().__init__()
        self.conv1 = _convolution(3, widths[0], 3, 1)
        self.bn1 = nn.BatchNorm2d(widths[0])
        inputs = widths[0]
        self._stages: List[str] = []
        for stage, width in enumerate(widths, start=1):
            blocks = []
            for i in range(per_stage):
                blocks.append(_BasicBlock(inputs, width, 2 if stage > 1 and i == 0 else 1))
                inputs = width
            name = "layer{}".format(stage)
            self.add_module(name, nn.Sequential(*blocks))
            self._stages.append(name)
        self.fc = nn.Linear(widths[-1], classes)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        for name in self._stages:
            x = getattr(self, name)(x)
        return x.mean((2, 3))

    def head(self, feature: torch.Tensor) -> torch.Tensor:
        return self.fc(feature)


MODELS: Dict[str, Callable[[int], Model]] = {
    "Net": Net,
    "FedAvgNet": FedAvgNet,
    # 78,042 parameters for ten classes
    "ResNet8": lambda classes: ResNet([16, 32, 64], 1, classes),
    # 11,173,962 parameters for ten classes
    "ResNet18": lambda classes: ResNet([64, 128, 256, 512], 2, classes),
}
assert tuple(MODELS) == MODEL_NAMES


def build(name: str, classes: int, feature: str = PLAIN) -> Model:
    """A model with PyTorch's own first weights (torch.manual_seed decides them). KeyError for another name."""
    model = MODELS[name](classes)
    model.feature = feature
    return model


def has_batch_norm(model: nn.Module) -> bool:
    return any(isinstance(layer, nn.BatchNorm2d) for layer in model.modules())


def read_arrays(model: nn.Module) -> List[np.ndarray]:
    """All entries of the state dictionary, in order, as arrays of their own (float32; counters int64 without dimensions)."""
    return [np.array(tensor.detach().cpu().numpy()) for tensor in model.state_dict().values()]


def write_arrays(model: nn.Module, entries: Sequence[Tuple[str, np.ndarray]]) -> None:
    """Loads named arrays.

    Other servers send float64 for float32, floats for counters and (1,) for no dimensions, so these are converted;
    nothing else is: Refusal where a name, a number of elements or a shape is not the model's.
    """
    state = model.state_dict()
    if [name for name, _ in entries] != list(state):
        raise Refusal("the tensors are not the model's: expected {}".format(", ".join(state)))
    for name, array in entries:
        want = state[name]
        shape = tuple(want.shape)
        if tuple(array.shape) != shape and not (shape == () and array.shape == (1,)):
            raise Refusal("{} must have the shape {}, {} arrived".format(name, shape, tuple(array.shape)))
        if array.dtype.kind not in "fiu":
            raise Refusal("{} must hold numbers, {} arrived".format(name, array.dtype))
        kind = np.float32 if want.is_floating_point() else np.int64
        if kind is np.int64 and array.dtype.kind == "f":
            array = np.rint(array)
        state[name] = torch.from_numpy(np.array(array, dtype=kind).reshape(shape))
    model.load_state_dict(state)


def first_values(name: str, shape: Sequence[int], model: nn.Module, seed: int) -> np.ndarray:
    """First values of one entry by the lab's own generator, equal to the server's initial weights to the last bit,
    except where the log and sqrt of the two languages differ.

    name, shape: as in the model's state dictionary; seed: the run's initSeed.
    """
    owner, entry = name.rsplit(".", 1)
    layer = dict(model.named_modules())[owner]
    if entry == "num_batches_tracked":
        return np.zeros((), np.int64)
    if isinstance(layer, nn.BatchNorm2d):
        return np.full(shape, 1.0 if entry in ("weight", "running_var") else 0.0, np.float32)
    random = Random(derive_seed(seed, "init", name))
    count = int(np.prod(shape))
    if isinstance(layer, nn.Conv2d) and layer.bias is None:
        std = math.sqrt(2 / (layer.kernel_size[0] * layer.kernel_size[1] * layer.out_channels))
        values = [std * random.normal() for _ in range(count)]
    else:
        # PyTorch's default for Conv2d and Linear: U(−1/√fan_in, 1/√fan_in) for weight and bias
        bound = 1 / math.sqrt(layer.weight[0].numel())
        values = [bound * (2 * random.next() - 1) for _ in range(count)]
    return np.array(values, np.float64).astype(np.float32).reshape(tuple(shape))
