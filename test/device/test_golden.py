"""The client against the golden vectors that bind TypeScript and Python."""

import base64

import numpy as np
import pytest
import torch
import torch_models as tm
from flwr.common.parameter import bytes_to_ndarray, ndarray_to_bytes
from flwr.server.strategy.aggregate import aggregate, aggregate_median, aggregate_trimmed_avg

from fedfleet_client.batches import Batches
from fedfleet_client.data.images import ImageSet
from fedfleet_client.evaluation import evaluate
from fedfleet_client.instruction import Common, Fit, Loss, Optimizer
from fedfleet_client.models import MODELS, build, first_values, read_arrays, write_arrays
from fedfleet_client.training import train

CPU = torch.device("cpu")
NAMES = list(MODELS)
# The client and the golden vectors are both PyTorch, but in another order of the batch and on another machine.
CLOSE = {"Net": 2e-5, "FedAvgNet": 2e-5, "ResNet8": 2e-4, "ResNet18": 2e-3}


def model_with_formula(name, feature="plain"):
    model = build(name, 10, feature)
    model.load_state_dict(tm.formula_state(model))
    return model


def images_of(count):
    pixels, labels = tm.formula_images(count)
    return ImageSet(pixels, labels.astype(np.uint8))


def trained(name, steps, optimizer, loss, count, feature="plain"):
    settings = {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0, **optimizer}
    common = Common(1, "r", name, 10, (), 0, 0, feature)
    fit = Fit(common, steps, count, Optimizer(**settings), loss, seed=1)
    model, losses = model_with_formula(name, feature), []
    train(model, fit, images_of(count), tm.MEAN, tm.STD, CPU, lambda _, loss_of_epoch: losses.append(loss_of_epoch))
    return losses, model


def compare(want, losses, model, close):
    assert losses == pytest.approx(want["losses"], rel=close, abs=close)
    for name, tensor in model.state_dict().items():
        flat = tensor.double().reshape(-1).numpy()
        summary = want["after"][name]
        assert np.abs(flat).sum() == pytest.approx(summary["magnitude"], rel=close, abs=close), name
        at = range(len(flat)) if len(flat) <= 6 else tm.hash32(
            np.arange(6, dtype=np.uint32) + np.uint32(len(flat))
        ) % np.uint32(len(flat))
        assert [flat[i] for i in at] == pytest.approx(summary["values"], rel=close, abs=close), name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [10, 100])
def test_parameters_have_the_labs_names_order_and_shapes(name, classes):
    want = {key: tuple(tensor.shape) for key, tensor in tm.build(name, classes).state_dict().items()}
    model = build(name, classes)
    assert [(key, tuple(tensor.shape)) for key, tensor in model.state_dict().items()] == list(want.items())
    arrays = read_arrays(model)
    assert [a.shape for a in arrays] == list(want.values())
    assert {str(a.dtype) for a in arrays} <= {"float32", "int64"}


@pytest.mark.parametrize("name", NAMES)
def test_evaluation(name, golden):
    want = golden["learning"]["models"][name]
    count = len(want["labels"])
    images = images_of(count)
    model = model_with_formula(name)
    found = evaluate(model, images, tm.MEAN, tm.STD, CPU, 10, batch_size=5)
    assert found.loss == pytest.approx(want["loss"], rel=1e-5)
    logits = np.array(want["logits"])
    right = logits.argmax(axis=1) == np.array(want["labels"])
    assert (found.correct, found.examples, found.accuracy) == (right.sum(), count, right.mean())
    assert [t for _, t in found.per_class] == [want["labels"].count(c) for c in range(10)]
    x, labels = Batches(images, model.input, tm.MEAN, tm.STD, CPU).take(np.arange(count))
    assert torch.allclose(x, tm.normalise(images.pixels), atol=1e-6)
    assert labels.tolist() == want["labels"]
    with torch.no_grad():
        assert model.eval()(x).numpy() == pytest.approx(logits, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    "name, case", [(name, case) for name in NAMES for case in ("ce1", "ntd1", "ntd2")] + [("Net", "prox2")]
)
def test_local_training(name, case, golden):
    learning = golden["learning"]
    want = learning["models"][name][case]
    loss = {
        "ce": Loss("ce"),
        "ntd": Loss("ntd", tau=2.0, beta=0.7, tau_squared=True),
        "prox": Loss("prox", mu=0.3),
    }[case[:-1]]
    sgd = {"kind": "sgd", "lr": learning["lr"][name], "momentum": 0.9, "weight_decay": 0.001}
    losses, model = trained(name, int(case[-1]), sgd, loss, learning["batch"][name])
    compare(want, losses, model, CLOSE[name])


@pytest.mark.parametrize("name", ["Net", "ResNet8"])
def test_a_normalised_feature_in_evaluation(name, golden):
    learning = golden["learning"]["models"][name]
    want, labels = learning["normalised"], np.array(learning["labels"])
    images = images_of(len(labels))
    model = model_with_formula(name, "l2-normalised")
    found = evaluate(model, images, tm.MEAN, tm.STD, CPU, 10, batch_size=5)
    assert found.loss == pytest.approx(want["loss"], rel=1e-5)
    assert found.accuracy == (np.array(want["logits"]).argmax(axis=1) == labels).mean()


@pytest.mark.parametrize("name", ["Net", "ResNet8"])
@pytest.mark.parametrize("case", ["ce1", "ce2", "ntd2"])
def test_local_training_with_a_normalised_feature(name, case, golden):
    learning = golden["learning"]
    loss = Loss("ce") if case.startswith("ce") else Loss("ntd", tau=2.0, beta=0.7, tau_squared=True)
    sgd = {"kind": "sgd", "lr": learning["lr"][name], "momentum": 0.9, "weight_decay": 0.001}
    losses, model = trained(name, int(case[-1]), sgd, loss, learning["batch"][name], "l2-normalised")
    compare(learning["models"][name]["normalised"][case], losses, model, CLOSE[name])


def test_optimizers_over_three_steps(golden):
    learning = golden["learning"]
    assert len(learning["optimizers"]) == 8
    for want in learning["optimizers"].values():
        losses, model = trained("Net", 3, want["settings"], Loss("ce"), learning["batch"]["Net"])
        compare(want, losses, model, 1e-4)


def test_tensor_bytes(golden):
    """What flwr makes of every array that NumPy can save, and what the client would send."""
    npy = golden["npy"]
    for case in npy["accepted"]:
        array = bytes_to_ndarray(base64.b64decode(case["npy"]))
        plain = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        assert plain == base64.b64decode(case["bytes"]), case["name"]
        assert list(array.shape) == case["shape"], case["name"]
        again = bytes_to_ndarray(ndarray_to_bytes(array))
        assert again.shape == array.shape and again.tobytes() == array.tobytes(), case["name"]


def test_averages(golden):
    """Flower's own server, which clients may meet, averages as the golden vectors say that the lab does."""
    federation = golden["federation"]
    shapes = federation["shapes"]
    results = [
        ([np.array(layer, np.float32).reshape(s) for layer, s in zip(u["layers"], shapes)], u["examples"])
        for u in federation["updates"]
    ]
    for name, arrays in (
        ("aggregate", aggregate(results)),
        ("float64_mean", aggregate(results)),
        ("median", aggregate_median(results)),
        ("trimmed", aggregate_trimmed_avg(results, 0.34)),
    ):
        for found, want in zip(arrays, federation[name]):
            assert np.asarray(found).reshape(-1) == pytest.approx(np.ravel(want), rel=1e-5, abs=1e-6), name


def test_first_values_come_from_the_labs_own_generator():
    """Pinned in TypeScript's terms: bound · (2 · next() − 1) of a generator for each parameter."""
    from fedfleet_client.seeds import Random, derive_seed

    model = build("Net", 10)
    found = first_values("fc3.bias", (10,), model, 7)
    random = Random(derive_seed(7, "init", "fc3.bias"))
    want = [np.float32(1 / np.sqrt(84) * (2 * random.next() - 1)) for _ in range(10)]
    assert found.tolist() == [float(w) for w in want]
    resnet = build("ResNet8", 10)
    assert first_values("bn1.running_var", (16,), resnet, 7).tolist() == [1.0] * 16
    assert first_values("bn1.num_batches_tracked", (), resnet, 7).shape == ()
    std = first_values("layer3.0.conv2.weight", (64, 64, 3, 3), resnet, 7).std()
    assert std == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.02)


def test_what_other_servers_make_of_counters_and_floats_is_taken():
    model = build("ResNet8", 10)
    names = list(model.state_dict())
    arrays = [a.astype(np.float64) if a.dtype == np.float32 else np.array([157.9]) for a in read_arrays(model)]
    write_arrays(model, list(zip(names, arrays)))
    state = model.state_dict()
    assert state["bn1.num_batches_tracked"].item() == 158
    assert state["bn1.num_batches_tracked"].dtype == torch.int64
    assert state["conv1.weight"].dtype == torch.float32
