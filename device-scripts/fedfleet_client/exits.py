"""How the client ends: one exit code for each cause that needs a next step of its own."""

from typing import Optional

SENT_AWAY = 0
BUG = 1
BAD_CONFIGURATION = 2
DATA_MISSING = 10
DATA_DAMAGED = 11
SERVER_LOST = 12
CUDA_OUT_OF_MEMORY = 13
OUT_OF_MEMORY = 14
NO_GPU = 15
INTERRUPTED = 130
TERMINATED = 143


class ClientExit(Exception):
    """Ends the client with a code of its own.

    `message` says what happened and names the file, option or device; `next_step` says what a person can do.
    """

    def __init__(self, code: int, message: str, next_step: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step


class Refusal(Exception):
    """An instruction that this device cannot follow. The server gets the message; the client goes on."""


# What PyTorch 1.10 to 2.x says when the GPU's memory is used up, and what Jetson's allocator says.
_CUDA_MEMORY = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "NvMapMemAlloc",
    "NVML_SUCCESS == r INTERNAL ASSERT",
)
_MEMORY = ("can't allocate memory", "not enough memory", "Cannot allocate memory", "std::bad_alloc")


def out_of_memory(error: BaseException) -> Optional[int]:
    """CUDA_OUT_OF_MEMORY or OUT_OF_MEMORY where `error`, or an error that caused it, says so, else None."""
    seen: Optional[BaseException] = error
    while seen is not None:
        text = str(seen)
        if type(seen).__name__ == "OutOfMemoryError" or any(words in text for words in _CUDA_MEMORY):
            return CUDA_OUT_OF_MEMORY
        if isinstance(seen, MemoryError) or any(words in text for words in _MEMORY):
            return OUT_OF_MEMORY
        seen = seen.__cause__ or seen.__context__
    return None
