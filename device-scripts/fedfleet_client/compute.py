"""The processor or GPU that trains, set up so that the same input always gives the same numbers."""

import os
from typing import Optional

import torch

from .exits import NO_GPU, ClientExit


def choose_device(wanted: str, threads: Optional[int]) -> torch.device:
    """wanted: "auto", "cpu" or "cuda". ClientExit(15) where --device cuda asks for a GPU and PyTorch sees none."""
    if threads is not None:
        torch.set_num_threads(threads)
    there = wanted != "cpu" and torch.cuda.is_available()
    if wanted == "cuda" and not there:
        built = torch.version.cuda is not None
        raise ClientExit(
            NO_GPU,
            "--device cuda: PyTorch {} {}".format(
                torch.__version__, "sees no GPU" if built else "is built without CUDA"
            ),
            "Start the container with the NVIDIA runtime (--runtime nvidia) and NVIDIA_DRIVER_CAPABILITIES=compute,utility."
            if built
            else "Use an image with CUDA (Dockerfile.jetson), or --device cpu.",
        )
    if there:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # float32 everywhere: TF32 would differ from the lab's numbers in the fourth digit
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda" if there else "cpu")


def gpu_name(device: torch.device) -> Optional[str]:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None
