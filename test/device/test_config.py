"""Wrong options end with exit code 2 and are named."""

import pytest

from fedfleet_client.config import parse_options
from fedfleet_client.exits import ClientExit

REQUIRED = ["--server-address", "127.0.0.1:8080", "--cid", "0"]


def refused(*arguments):
    with pytest.raises(ClientExit) as end:
        parse_options(list(arguments))
    assert end.value.code == 2
    assert end.value.next_step
    return end.value.message


def test_defaults():
    options = parse_options(REQUIRED)
    assert (options.server_address, options.cid, options.model) == ("127.0.0.1:8080", "0", "Net")
    assert (options.batch_size, options.epochs, options.optimizer, options.retry_seconds) == (50, 1, "sgd", 0.0)


def test_the_original_repositorys_spelling():
    options = parse_options(["--server_address=10.0.0.1:8080", "--cid=3", "--model=ResNet18", "--batch_size", "64"])
    assert (options.server_address, options.cid, options.model, options.batch_size) == (
        "10.0.0.1:8080",
        "3",
        "ResNet18",
        64,
    )


def test_a_unix_socket_is_an_address():
    assert parse_options(["--server-address=unix:/fedfleet/run/s:1", "--cid=a"]).server_address.endswith("s:1")


@pytest.mark.parametrize(
    "argument, named",
    [
        ("--nonsense", "--nonsense"),
        ("--batch", "--batch"),  # no abbreviations: a later option may begin in the same way
        ("--batch-size=0", "--batch-size"),
        ("--batch-size=2.5", "--batch-size"),
        ("--epochs=x", "--epochs"),
        ("--lr=0", "--lr"),
        ("--lr=nan", "--lr"),
        ("--lr=inf", "--lr"),
        ("--momentum=1", "--momentum"),
        ("--weight-decay=-1", "--weight-decay"),
        ("--optimizer=lion", "--optimizer"),
        ("--model=net", "--model"),
        ("--device=tpu", "--device"),
        ("--threads=0", "--threads"),
        ("--seed=4294967296", "--seed"),
        ("--retry-seconds=-1", "--retry-seconds"),
        ("--server-address=nowhere", "--server-address"),
        ("--server-address=host:99999", "--server-address"),
        ("--cid=", "--cid"),
        ("stray", "stray"),
    ],
)
def test_what_is_wrong_is_named(argument, named):
    assert named in refused(*REQUIRED, argument)


def test_what_is_missing_is_named():
    assert "--cid" in refused("--server-address=a:1")
    assert "--server-address" in refused("--cid=0")


def test_the_join_token_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("FEDFLEET_JOIN_TOKEN", "Gänseblümchen")
    assert parse_options(REQUIRED).join_token == "Gänseblümchen"
    assert parse_options([*REQUIRED, "--join-token=Klee"]).join_token == "Klee"
