"""The command line, checked strictly: an unknown or wrong option ends the client with exit code 2 and is named."""

import argparse
import math
import os
import re
from dataclasses import dataclass
from typing import Callable, List, NoReturn, Optional

from .exits import BAD_CONFIGURATION, ClientExit
from .model_names import MODEL_NAMES, OPTIMIZER_NAMES

TOKEN_VARIABLE = "FEDFLEET_JOIN_TOKEN"


@dataclass(frozen=True)
class Options:
    server_address: str
    cid: str
    model: str
    data_dir: str
    part: Optional[str]
    state_dir: Optional[str]
    device: str
    threads: Optional[int]
    seed: int
    batch_size: int
    epochs: int
    lr: float
    optimizer: str
    momentum: float
    weight_decay: float
    retry_seconds: float
    ca: Optional[str]
    join_token: Optional[str]
    self_test: bool


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ClientExit(BAD_CONFIGURATION, "wrong command line: {}".format(message), "See --help.")


def _number(kind: Callable, what: str, fits: Callable) -> Callable:
    def parse(text: str):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not math.isfinite(value) or not fits(value):
            raise argparse.ArgumentTypeError("expected {}, got {!r}".format(what, text))
        return value

    return parse


_COUNT = _number(int, "a whole number of at least 1", lambda n: n >= 1)
_POSITIVE = _number(float, "a number above 0", lambda x: x > 0)
_NOT_NEGATIVE = _number(float, "a number of at least 0", lambda x: x >= 0)
_FRACTION = _number(float, "a number from 0 up to, but not including, 1", lambda x: 0 <= x < 1)
_SEED = _number(int, "a whole number from 0 to 4294967295", lambda n: 0 <= n < 2**32)


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"\d{1,5}", port) or not 1 <= int(port) <= 65_535:
        raise argparse.ArgumentTypeError(
            "expected HOST:PORT or unix:/folder/name:1 (a socket file called \"name:1\"), got {!r}".format(text)
        )
    return text


def _name(text: str) -> str:
    if not text.strip() or len(text) > 128 or any(ord(c) < 32 for c in text):
        raise argparse.ArgumentTypeError("expected a name of 1 to 128 characters, got {!r}".format(text))
    return text


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program,
        allow_abbrev=False,
        description="Trains on this device's images as a Flower server asks.",
        epilog="Writes one JSON object per line to standard output. Exit codes: 0 sent away by the server, 2 bad "
        "configuration, 10 data missing, 11 data damaged, 12 server lost, 13 CUDA out of memory, 14 out of memory, "
        "15 no GPU.",
    )

    def add(option: str, **settings) -> None:
        # The original repository writes its options with underscores.
        spellings = [option] if "-" not in option[2:] else [option, "--" + option[2:].replace("-", "_")]
        parser.add_argument(*spellings, **settings)

    add("--server-address", type=_address, metavar="ADDRESS", help="HOST:PORT, or unix:/folder/s:1")
    add("--cid", type=_name, metavar="NAME", help="the name of this device")
    add("--model", choices=MODEL_NAMES, default="Net", help="used when the server names none (default: Net)")
    add("--data-dir", default="./data", metavar="DIR", help="folder with the data (default: ./data)")
    add("--part", metavar="FILE", help="part of the data that belongs to this device (default: all of it)")
    add("--state-dir", metavar="DIR", help="keeps parameters that stay on the device (default: in memory)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train (default: auto)")
    add("--threads", type=_COUNT, metavar="N", help="CPU threads (default: PyTorch's)")
    add("--seed", type=_SEED, default=0, metavar="N", help="used when the server gives none (default: 0)")
    group = parser.add_argument_group("used when the server's configuration does not say")
    for option, settings in (
        ("--batch-size", dict(type=_COUNT, default=50, metavar="N", help="default: 50")),
        ("--epochs", dict(type=_COUNT, default=1, metavar="N", help="local epochs per round (default: 1)")),
        ("--lr", dict(type=_POSITIVE, default=0.01, metavar="X", help="learning rate (default: 0.01)")),
        ("--optimizer", dict(choices=OPTIMIZER_NAMES, default="sgd", help="default: sgd")),
        ("--momentum", dict(type=_FRACTION, default=0.0, metavar="X", help="default: 0")),
        ("--weight-decay", dict(type=_NOT_NEGATIVE, default=0.0, metavar="X", help="default: 0")),
    ):
        spellings = [option] if "-" not in option[2:] else [option, "--" + option[2:].replace("-", "_")]
        group.add_argument(*spellings, **settings)
    add(
        "--retry-seconds",
        type=_NOT_NEGATIVE,
        default=0.0,
        metavar="N",
        help="how long to keep dialling a lost server (default: 0)",
    )
    add("--ca", metavar="FILE", help="use TLS and trust the certificates (PEM) in this file")
    add("--join-token", metavar="TEXT", help="default: ${}, which other users of this computer cannot see".format(TOKEN_VARIABLE))
    add("--self-test", action="store_true", help="train one step on made-up data, report on this device, and exit")
    return parser


def parse_options(arguments: List[str], program: str = "fedfleet_client") -> Options:
    """ClientExit(2) for an option that is unknown, missing or wrong; --help prints and raises SystemExit(0)."""
    parsed = vars(_parser(program).parse_args(arguments))
    if parsed["join_token"] is None:
        parsed["join_token"] = os.environ.get(TOKEN_VARIABLE) or None
    for option in ("server_address", "cid"):
        if parsed[option] is None and not parsed["self_test"]:
            raise ClientExit(
                BAD_CONFIGURATION,
                "wrong command line: --{} is missing".format(option.replace("_", "-")),
                "Add it; see --help.",
            )
    parsed["server_address"] = parsed["server_address"] or ""
    parsed["cid"] = parsed["cid"] or ""
    return Options(**parsed)
