"""The lab's four models in PyTorch, and the numbers that TypeScript can compute as well.

Used by make_learning_golden.py, test/integration/torch_roundtrip.py and test/bench/torch_bench.py.
"""
import json
import math
import struct

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """The small CNN of the original project."""

    def __init__(self, num_classes=10):
        super().__init__()
        hidden = 120 if num_classes == 100 else 84
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, hidden)
        self.fc3 = nn.Linear(hidden, num_classes)

    def features(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return F.relu(self.fc2(x))

    def forward(self, x):
        return self.fc3(self.features(x))


class FedAvgNet(nn.Module):
    """The CNN of the FedNTD experiments on CIFAR."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.conv2d_1 = nn.Conv2d(3, 32, 5, padding=2)
        self.conv2d_2 = nn.Conv2d(32, 64, 5, padding=2)
        self.linear_1 = nn.Linear(4096, 512)
        self.classifier = nn.Linear(512, num_classes)

    def features(self, x):
        x = F.max_pool2d(self.conv2d_1(x), 2)
        x = F.max_pool2d(self.conv2d_2(x), 2)
        return F.relu(self.linear_1(torch.flatten(x, 1)))

    def forward(self, x):
        return self.classifier(self.features(x))


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1 or inputs != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + shortcut)


class ResNet(nn.Module):
    """Residual network for 32x32: 3x3 stem with stride 1, no max-pooling."""

    def __init__(self, widths, per_stage, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        inputs = widths[0]
        for stage, width in enumerate(widths):
            blocks = []
            for i in range(per_stage):
                blocks.append(BasicBlock(inputs, width, 2 if stage > 0 and i == 0 else 1))
                inputs = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.stages = len(widths)
        self.fc = nn.Linear(widths[-1], num_classes)

    def features(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x.mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))


def build(name, num_classes=10):
    if name == "Net":
        return Net(num_classes)
    if name == "FedAvgNet":
        return FedAvgNet(num_classes)
    if name == "ResNet8":
        return ResNet([16, 32, 64], 1, num_classes)
    if name == "ResNet18":
        return ResNet([64, 128, 256, 512], 2, num_classes)
    raise ValueError(name)


HEADS = {"Net": "fc3", "FedAvgNet": "classifier", "ResNet": "fc"}


def normalised_logits(model, x):
    """FedFN (Kim et al. 2023): the head sees the feature at length 1."""
    head = getattr(model, HEADS[type(model).__name__])
    return head(F.normalize(model.features(x)))


def hash32(values):
    """MurmurHash3's finaliser on uint32."""
    h = values.astype(np.uint32)
    h ^= h >> np.uint32(16)
    h = (h.astype(np.uint64) * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    h ^= h >> np.uint32(13)
    h = (h.astype(np.uint64) * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    h ^= h >> np.uint32(16)
    return h


def uniform(count, stream):
    """`count` numbers in [0, 1) of a numbered stream, float64."""
    start = (stream * 0x9E3779B9) & 0xFFFFFFFF
    at = (np.arange(count, dtype=np.uint64) + np.uint64(start)) & np.uint64(0xFFFFFFFF)
    return hash32(at).astype(np.float64) / 2**32


def formula_state(model):
    """Weights that test/main/learning/formula.ts computes too: neither trivial nor random."""
    state = {}
    for stream, (name, tensor) in enumerate(model.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(3, dtype=torch.int64)
            continue
        u = uniform(tensor.numel(), stream + 1)
        if name.endswith("running_mean"):
            values = 0.6 * (u - 0.5)
        elif name.endswith("running_var"):
            values = 0.5 + u
        elif tensor.dim() == 1 and name.endswith("weight"):
            values = 0.5 + u
        elif tensor.dim() == 1:
            values = 0.4 * (u - 0.5)
        else:
            fan_in = tensor.numel() // tensor.shape[0]
            values = (2 * u - 1) * math.sqrt(3 / fan_in)
        state[name] = torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape)
    return state


MEAN = [0.4914, 0.4822, 0.4465]
STD = [0.247, 0.2435, 0.2616]


def formula_images(count):
    """(N, 32, 32, 3) uint8 and N labels; blocks of equal colour give convolutions something to see."""
    n, y, x, c = np.meshgrid(np.arange(count), np.arange(32), np.arange(32), np.arange(3), indexing="ij")
    coarse = hash32((n * 4096 + (y // 4) * 512 + (x // 4) * 64 + c).astype(np.uint32)) % np.uint32(200)
    fine = hash32((n * 65536 + y * 2048 + x * 64 + c + 7).astype(np.uint32)) % np.uint32(56)
    labels = hash32(np.arange(count, dtype=np.uint32) + np.uint32(991)) % np.uint32(10)
    return (coarse + fine).astype(np.uint8), labels.astype(np.int64)


def normalise(pixels):
    """uint8 NHWC -> float32 NCHW as torchvision's ToTensor and Normalize do."""
    x = torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2).contiguous().float() / 255
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def not_true_distillation(logits, teacher, labels, tau, beta, tau_squared):
    """Cross-entropy plus FedNTD's term, by gathering the C-1 other logits."""
    classes = logits.shape[1]
    others = torch.arange(classes).repeat(len(labels), 1)
    others = others[others != labels.unsqueeze(1)].view(len(labels), classes - 1)
    log_q = F.log_softmax(logits.gather(1, others) / tau, dim=1)
    p = F.softmax(teacher.gather(1, others) / tau, dim=1)
    kl = F.kl_div(log_q, p, reduction="batchmean")
    return F.cross_entropy(logits, labels) + beta * (tau * tau if tau_squared else 1) * kl


def optimizer_of(kind, parameters, lr, momentum=0.0, nesterov=False, weight_decay=0.0):
    if kind == "sgd":
        return torch.optim.SGD(
            parameters, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay
        )
    if kind == "adam":
        return torch.optim.Adam(parameters, lr=lr, weight_decay=weight_decay)
    return torch.optim.RMSprop(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)


DTYPES = {"F32": np.float32, "I64": np.int64}
NAMES = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}


def read_safetensors(path):
    """{name: tensor} in the file's order. The format is a length, a JSON header and the bytes."""
    with open(path, "rb") as f:
        data = f.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + length + begin : 8 + length + end], DTYPES[entry["dtype"]])
        state[name] = torch.from_numpy(array.reshape(entry["shape"]).copy())
    return state


def write_safetensors(path, state):
    header, blobs, at = {}, [], 0
    for name, tensor in state.items():
        array = np.ascontiguousarray(tensor.detach().numpy())
        if tensor.dim() == 0:
            array = array.reshape(())
        blob = array.tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, at + len(blob)],
        }
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
