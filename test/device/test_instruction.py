"""The server's configuration is checked to the last field."""

import copy
import json

import pytest

from fedfleet_client.exits import Refusal
from fedfleet_client.instruction import kept_names, parse_evaluation, parse_fit
from fedfleet_client.seeds import derive_seed

RECIPE = {
    "round": 3,
    "run": "r-1",
    "model": "ResNet8",
    "numClasses": 10,
    "localEpochs": 2,
    "batchSize": 25,
    "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weightDecay": 0.001},
    "loss": {"kind": "ntd", "tau": 3, "beta": 0.5, "tauSquared": False},
    "seed": 4294967295,
    "keeps": ["fc.weight", "fc.bias"],
    "keptFrom": 2,
    "initSeed": 7,
}


def changed(path, value):
    recipe = copy.deepcopy(RECIPE)
    *folders, last = path.split(".")
    target = recipe
    for folder in folders:
        target = target[folder]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return {"fedfleet": json.dumps(recipe)}


def test_a_whole_recipe(options):
    fit = parse_fit({"fedfleet": json.dumps(RECIPE), "epochs": 99}, options(), 10)
    assert (fit.common.round, fit.common.run, fit.common.model, fit.common.classes) == (3, "r-1", "ResNet8", 10)
    assert (fit.common.keeps, fit.common.kept_from, fit.common.init_seed) == (("fc.weight", "fc.bias"), 2, 7)
    assert (fit.epochs, fit.batch_size, fit.seed) == (2, 25, 4294967295)
    assert (fit.optimizer.lr, fit.optimizer.nesterov, fit.optimizer.weight_decay) == (0.05, True, 0.001)
    assert (fit.loss.kind, fit.loss.tau, fit.loss.beta, fit.loss.tau_squared) == ("ntd", 3.0, 0.5, False)


@pytest.mark.parametrize(
    "path, value",
    [
        ("round", -1),
        ("round", 1.5),
        ("round", "1"),
        ("round", True),
        ("run", ""),
        ("model", "Net2"),
        ("numClasses", 0),
        ("localEpochs", 0),
        ("batchSize", None),
        ("seed", 4294967296),
        ("keeps", "fc"),
        ("keeps", [1]),
        ("keptFrom", ...),
        ("optimizer", []),
        ("optimizer.kind", "SGD"),
        ("optimizer.lr", "0.1"),
        ("optimizer.nesterov", 1),
        ("optimizer.momentum", ...),
        ("optimizer.warmup", 3),
        ("loss.kind", "kd"),
        ("loss.tau", 0),
        ("loss.tauSquared", "False"),
        ("loss.mu", 1),
        ("feature", "plain"),
        ("feature", {"kind": "whitened"}),
        ("feature", {"kind": "plain", "scale": 2}),
        ("augment", True),
    ],
)
def test_each_field_is_checked_and_named(options, path, value):
    with pytest.raises(Refusal) as refusal:
        parse_fit(changed(path, value), options(), 10)
    assert path in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", 5, b"{}"])
def test_what_is_no_json_object(options, text):
    with pytest.raises(Refusal, match="fedfleet"):
        parse_fit({"fedfleet": text}, options(), 10)


def test_a_number_that_json_cannot_hold(options):
    with pytest.raises(Refusal, match="optimizer.lr"):
        parse_fit({"fedfleet": json.dumps(RECIPE).replace("0.05", "NaN")}, options(), 10)


def test_an_evaluation_has_no_recipe(options):
    fields = {k: RECIPE[k] for k in ("round", "run", "model", "numClasses", "keeps", "keptFrom", "initSeed")}
    common = parse_evaluation({"fedfleet": json.dumps(fields)}, options(), 10)
    assert (common.model, common.round) == ("ResNet8", 3)
    with pytest.raises(Refusal, match="batchSize"):
        parse_evaluation({"fedfleet": json.dumps({**fields, "batchSize": 5})}, options(), 10)


def test_how_the_head_sees_the_feature(options):
    assert parse_fit({"fedfleet": json.dumps(RECIPE)}, options(), 10).common.feature == "plain"
    for kind in ("plain", "l2-normalised"):
        config = changed("feature", {"kind": kind})
        assert parse_fit(config, options(), 10).common.feature == kind
    fields = {k: RECIPE[k] for k in ("round", "run", "model", "numClasses", "keeps", "keptFrom", "initSeed")}
    config = {"fedfleet": json.dumps({**fields, "feature": {"kind": "l2-normalised"}})}
    assert parse_evaluation(config, options(), 10).feature == "l2-normalised"


def test_a_model_of_the_clients(options):
    recipe = {**RECIPE, "model": "from-client", "numClasses": 0, "keeps": [], "keptFrom": 0}
    common = parse_fit({"fedfleet": json.dumps(recipe)}, options("--model=FedAvgNet"), 100).common
    assert (common.model, common.classes) == ("FedAvgNet", 100)


def test_the_original_projects_keys_are_texts(options):
    config = {
        "epoch_global": "4",
        "epochs": "2",
        "batch_size": "32",
        "num_workers": "4",
        "pin_memory": "False",
        "lr": "0.1",
        "optimizer": "Adam",
    }
    fit = parse_fit(config, options("--seed=5"), 10)
    assert (fit.common.round, fit.epochs, fit.batch_size, fit.optimizer.kind, fit.optimizer.lr) == (
        4,
        2,
        32,
        "adam",
        0.1,
    )
    assert fit.seed == derive_seed(5, "pi-1", "round", 4)
    assert fit.loss.kind == "ce"


def test_flowers_own_keys(options):
    fit = parse_fit({"server_round": 2, "proximal_mu": 0.5}, options("--epochs=3", "--momentum=0.9"), 10)
    assert (fit.common.round, fit.loss.kind, fit.loss.mu) == (2, "prox", 0.5)
    assert (fit.epochs, fit.optimizer.momentum) == (3, 0.9)


@pytest.mark.parametrize(
    "key, value",
    [("epochs", "two"), ("epochs", 1.5), ("epochs", True), ("lr", "nan"), ("lr", -1.0), ("optimizer", "Lion"),
     ("batch_size", 0), ("proximal_mu", -0.1), ("server_round", b"1")],
)  # fmt: skip
def test_plain_keys_are_not_guessed(options, key, value):
    with pytest.raises(Refusal, match=key):
        parse_fit({key: value}, options(), 10)


def test_only_parameters_of_the_model_can_stay(options):
    common = parse_fit({"fedfleet": json.dumps(RECIPE)}, options(), 10).common
    assert kept_names(common, ("fc.weight", "fc.bias", "conv1.weight")) == {"fc.weight", "fc.bias"}
    with pytest.raises(Refusal, match="fc.bias"):
        kept_names(common, ("fc.weight",))
