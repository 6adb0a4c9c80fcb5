"""Checks that this image trains on this device: one step of a convolution on made-up data."""

import platform
import sys
import time
from typing import Any, Dict

from .config import Options
from .progress import Progress


def run_self_test(options: Options, progress: Progress) -> None:
    """Reports {"event": "self-test", …}. A PyTorch built for another processor dies with SIGILL (132)."""
    started = time.monotonic()
    import flwr.client  # noqa: F401 - an image without it is useless
    import numpy
    import torch

    from .compute import choose_device, gpu_name
    from .exits import NO_GPU, ClientExit
    from .versions import flwr_version

    device = choose_device(options.device, options.threads)
    torch.manual_seed(options.seed)
    layer = torch.nn.Conv2d(3, 8, 3)
    try:
        layer = layer.to(device)
        x = torch.randn(4, 3, 32, 32, device=device)
        loss = torch.nn.functional.relu(layer(x)).square().mean()
        loss.backward()
        value = float(layer.weight.grad.abs().sum())
    except RuntimeError as error:
        if device.type != "cuda":
            raise
        raise ClientExit(
            NO_GPU,
            "the GPU is there, but PyTorch {} cannot use it: {}".format(torch.__version__, str(error).split("\n")[0]),
            "Use the base image that fits this board's L4T release, or --device cpu.",
        ) from None
    if not value > 0:
        raise AssertionError("the gradient of a convolution is {}".format(value))
    fields: Dict[str, Any] = {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "gpu": gpu_name(device),
        "device": device.type,
        "arch": platform.machine(),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "numpy": numpy.__version__,
        "flwr": flwr_version(),
        "threads": torch.get_num_threads(),
        "seconds": round(time.monotonic() - started, 3),
    }
    if device.type == "cuda":
        fields["capability"] = "{}.{}".format(*torch.cuda.get_device_capability(device))
    progress.say("self-test", **fields)
