"""From the command line to the exit code."""

import os
import sys
import traceback
from typing import List, NoReturn, Optional

from . import __version__
from .config import Options, parse_options
from .exits import (
    BAD_CONFIGURATION,
    BUG,
    CUDA_OUT_OF_MEMORY,
    OUT_OF_MEMORY,
    SENT_AWAY,
    ClientExit,
    out_of_memory,
)
from .progress import Progress, take_standard_output
from .signals import end_on_signals


def main(arguments: List[str], program: str = "fedfleet_client") -> int:
    """Runs the client, reports why it ends, and returns its exit code."""
    if "--help" in arguments or "-h" in arguments:
        parse_options(arguments, program)
    progress = take_standard_output()
    end_on_signals(progress)
    # flwr sends usage reports unless told not to
    os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
    try:
        code = _run(parse_options(arguments, program), progress)
    except ClientExit as end:
        return _end(progress, end)
    except ModuleNotFoundError as error:
        return _end(progress, _not_installed(error))
    except Exception as error:
        memory = out_of_memory(error)
        if memory is not None:
            return _end(progress, _memory_end(memory, error))
        traceback.print_exc()
        message = "{}: {}".format(type(error).__name__, error)
        return _end(progress, ClientExit(BUG, message, "This is a bug in the client; report it with its log."))
    return code


def main_and_end(arguments: List[str], program: str = "fedfleet_client") -> NoReturn:
    """Ends the process at once with main's exit code: neither gRPC's threads nor CUDA's teardown can delay it."""
    code = main(arguments, program)
    sys.stderr.flush()
    os._exit(code)


def _not_installed(error: ModuleNotFoundError) -> ClientExit:
    return ClientExit(
        BAD_CONFIGURATION,
        "{} ({}) has no module called {}".format(sys.executable, sys.version.split()[0], error.name),
        "Install the packages that device-scripts/README.md lists, or run the client in its image (run_pi.sh, run_jetson.sh).",
    )


def _end(progress: Progress, end: ClientExit) -> int:
    progress.say("error", code=end.code, message=end.message, next=end.next_step)
    print("fedfleet_client: {}. {}".format(end.message, end.next_step), file=sys.stderr, flush=True)
    return end.code


def _memory_end(code: int, error: BaseException) -> ClientExit:
    if code == CUDA_OUT_OF_MEMORY:
        _empty_cuda()
        return ClientExit(
            code,
            "the GPU's memory is used up ({})".format(str(error).split("\n")[0]),
            "Lower the batch size, take a smaller model, or train on the CPU (--device cpu).",
        )
    return ClientExit(
        OUT_OF_MEMORY,
        "memory is used up ({})".format(str(error).split("\n")[0] or type(error).__name__),
        "Lower the batch size, take a smaller model, or give the board more swap.",
    )


def _empty_cuda() -> None:
    try:
        import torch

        torch.cuda.empty_cache()
    except Exception:  # the client ends in any case
        pass


def _run(options: Options, progress: Progress) -> int:
    if options.self_test:
        from .self_test import run_self_test

        run_self_test(options, progress)
        return SENT_AWAY
    # Cheap checks first: loading PyTorch takes a small board half a minute.
    certificates = _certificates(options.ca)
    from .data.local_data import load

    data = load(options.data_dir, options.part)

    import torch

    from .client import answering_client
    from .compute import choose_device, gpu_name
    from .connection import talk
    from .versions import flwr_version

    device = choose_device(options.device, options.threads)
    client = answering_client(options, data, device, progress)
    progress.say(
        "ready",
        cid=options.cid,
        dataset=data.dataset,
        classes=len(data.classes),
        train=len(data.train),
        test=len(data.test),
        device=device.type,
        gpu=gpu_name(device),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        flwr=flwr_version(),
        client=__version__,
    )
    code = talk(client, options.server_address, certificates, progress, options.retry_seconds)
    progress.say("stopped", code=code, reason="sent away by the server")
    return code


def _certificates(path: Optional[str]) -> Optional[bytes]:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ClientExit(
            BAD_CONFIGURATION, "--ca {}: {}".format(path, error.strerror), "Name a file with certificates that can be read."
        ) from None
