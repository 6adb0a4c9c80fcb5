"""Local training beyond the golden vectors."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from parts import images_of

from fedfleet_client.batches import Batches
from fedfleet_client.client import FedfleetClient
from fedfleet_client.data.images import ImageSet, LocalData
from fedfleet_client.exits import Refusal
from fedfleet_client.inputs import CIFAR_INPUT, ModelInput
from fedfleet_client.instruction import Common, Fit, Loss, Optimizer
from fedfleet_client.kept_state import KeptState
from fedfleet_client.models import build, read_arrays
from fedfleet_client.training import Diverged, train

CPU = torch.device("cpu")
HALF = (0.5, 0.5, 0.5)
FIT = Fit(
    Common(1, "r", "Net", 10, (), 0, 0), 2, 16, Optimizer("sgd", 0.05, 0.9, False, 0.0), Loss("ce"), seed=11
)


def fit_of(**changes):
    return dataclasses.replace(FIT, **changes)


def trained(fit, data, model_name="Net", **settings):
    torch.manual_seed(3)
    model = build(model_name, 10)
    result = train(model, fit, data, HALF, HALF, CPU, **settings)
    return result, read_arrays(model)


@pytest.fixture(scope="module")
def data():
    return ImageSet(*images_of(50))


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(data):
    first, a = trained(FIT, data)
    second, b = trained(FIT, data)
    _, c = trained(fit_of(seed=12), data)
    assert first == second
    assert all(np.array_equal(x, y) for x, y in zip(a, b))
    assert not all(np.array_equal(x, y) for x, y in zip(a, c))


def test_it_learns(data):
    losses = []
    result, _ = trained(fit_of(epochs=12), data, on_step=lambda fraction, loss: losses.append((fraction, loss)))
    assert result.examples == 50
    assert losses[-1][0] == 1.0 and len(losses) == 12 * 4  # the batch of two is kept
    assert losses[-1][1] == pytest.approx(result.loss)
    assert result.loss < losses[0][1] * 0.9


def test_a_last_batch_of_one_is_left_out_under_batch_normalisation():
    data = ImageSet(*images_of(17))
    result, arrays = trained(fit_of(epochs=1), data, "ResNet8")
    assert result.examples == 16
    assert arrays[5].shape == () and int(arrays[5]) == 1  # bn1.num_batches_tracked
    result, _ = trained(fit_of(epochs=1), data, "Net")
    assert result.examples == 17
    alone, _ = trained(fit_of(epochs=1), ImageSet(*images_of(1)), "ResNet8")
    assert (alone.examples, alone.loss, alone.accuracy) == (0, 0.0, 0.0)


def test_weight_0_equals_plain_cross_entropy_to_the_bit(data):
    _, plain = trained(FIT, data)
    for loss in (Loss("prox", mu=0.0), Loss("ntd", beta=0.0)):
        _, other = trained(fit_of(loss=loss), data)
        assert all(np.array_equal(x, y) for x, y in zip(plain, other))


def test_a_strong_proximal_term_holds_the_weights_back(data):
    torch.manual_seed(3)
    start = read_arrays(build("Net", 10))
    moved = []
    for loss in (Loss("ce"), Loss("prox", mu=5.0)):
        _, arrays = trained(fit_of(loss=loss), data)
        moved.append(sum(float(((x - y) ** 2).sum()) for x, y in zip(arrays, start)))
    assert moved[1] < moved[0] / 2


def test_the_teacher_is_the_global_model_in_evaluation_mode(data):
    """Before its first step the student is the teacher, so only batch normalisation can part their logits."""
    seen = []
    for name in ("Net", "ResNet8"):
        per_kind = []
        for loss in (Loss("ce"), Loss("ntd", tau=1.0, beta=1.0)):
            losses = []
            trained(fit_of(loss=loss, epochs=1), data, name, on_step=lambda _, value: losses.append(value))
            per_kind.append(losses[0])
        seen.append(per_kind[1] - per_kind[0])
    assert seen[0] == pytest.approx(0, abs=1e-6)
    assert seen[1] > 1e-3


def test_divergence_is_said_with_its_place(data):
    with pytest.raises(Diverged, match=r"local epoch 1, batch 2.*lower the learning rate"):
        trained(fit_of(optimizer=Optimizer("sgd", 1e30, 0.0, False, 0.0)), data)


def test_labels_beyond_the_models_classes_are_refused(data):
    with pytest.raises(Refusal, match="the model has 5 classes"):
        trained(fit_of(common=dataclasses.replace(FIT.common, classes=5)), data)


def test_small_greyscale_images_get_a_black_border_and_three_channels():
    greyscale = ImageSet(np.full((1, 28, 28, 1), 255, np.uint8), np.zeros(1, np.uint8))
    x, _ = Batches(greyscale, CIFAR_INPUT, (0.0, 0.5, 0.5), (1.0, 0.5, 0.25), CPU).take(np.array([0]))
    assert x.shape == (1, 3, 32, 32)
    assert x[0, :, 16, 16].tolist() == [1.0, 1.0, 2.0]
    assert x[0, :, 1, 16].tolist() == x[0, :, 16, 30].tolist() == [0.0, -1.0, -2.0]
    assert x[0, :, 2, 2].tolist() == [1.0, 1.0, 2.0]


def test_batches_have_the_shape_of_the_models_input():
    pixels = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    images = ImageSet(pixels, np.array([3, 700], np.uint16))
    x, labels = Batches(images, ModelInput(6, 8, 1, (4,)), (0.0,) * 3, (1 / 255,) * 3, CPU).take(np.array([1]))
    assert (x.shape, labels.tolist()) == ((1, 1, 6, 8), [700])
    assert x[0, 0, 1:5, 2:6].round().int().flatten().tolist() == list(range(16, 32))
    assert x.sum() == x[0, 0, 1:5, 2:6].sum()


def test_images_that_the_model_cannot_take_are_refused():
    def batches(height, width, channels, model_input=CIFAR_INPUT):
        pixels = np.zeros((1, height, width, channels), np.uint8)
        return Batches(ImageSet(pixels, np.zeros(1, np.uint8)), model_input, HALF, HALF, CPU)

    with pytest.raises(Refusal, match="images must be 32×32 or 28×28, got 256×128"):
        batches(256, 128, 3)
    with pytest.raises(Refusal, match="3 channels, the model takes 1"):
        batches(32, 32, 3, ModelInput(32, 32, 1, (32,)))


def test_a_feature_of_zeros_gives_the_heads_bias_and_teaches_the_features_nothing(data):
    model = build("Net", 10, "l2-normalised")
    with torch.no_grad():
        model.fc2.weight.fill_(-1)
        model.fc2.bias.fill_(-1)
    before = [array.copy() for array in read_arrays(model)]
    with torch.no_grad():
        x, _ = Batches(data, model.input, HALF, HALF, CPU).take(np.arange(3))
        assert torch.equal(model(x), model.fc3.bias.expand(3, 10))
    result = train(model, fit_of(epochs=1), data, HALF, HALF, CPU)
    assert np.isfinite(result.loss)
    after = read_arrays(model)
    assert all(np.array_equal(x, y) for x, y in zip(before[:-1], after[:-1]))
    assert not np.array_equal(before[-1], after[-1])


class Silent:
    def say(self, *_, **__):
        pass

    step = say


def recipe(round_number, kept_from, keeps):
    return {
        "fedfleet": json.dumps(
            {
                "round": round_number,
                "run": "run/../1",
                "model": "Net",
                "numClasses": 10,
                "localEpochs": 1,
                "batchSize": 25,
                "optimizer": {"kind": "sgd", "lr": 0.05, "momentum": 0, "nesterov": False, "weightDecay": 0},
                "loss": {"kind": "ce"},
                "seed": round_number,
                "keeps": keeps,
                "keptFrom": kept_from,
                "initSeed": 7,
            }
        )
    }


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_stays_on_the_device_is_kept_by_run_and_round(data, options, tmp_path, on_disk):
    keeps = ["fc3.weight", "fc3.bias"]
    settings = options("--state-dir", tmp_path) if on_disk else options()
    local = LocalData("d", tuple("0123456789"), data, data, HALF, HALF)

    def restarted():
        return FedfleetClient(settings, local, CPU, Silent())

    client = restarted()
    torch.manual_seed(1)
    weights = read_arrays(build("Net", 10))[:8]
    sent, examples, metrics = client.fit(list(weights), recipe(1, 0, keeps))
    assert (len(sent), examples, metrics["device"]) == (8, 50, "pi-1")
    sent, _, _ = client.fit(sent, recipe(2, 1, keeps))
    again = restarted() if on_disk else client
    loss, _, metrics = again.evaluate(list(sent), {"fedfleet": evaluation(2, keeps)})
    first, _, _ = again.evaluate(list(sent), {"fedfleet": evaluation(0, keeps)})
    assert loss < first  # with its own layer, which has learned, rather than the seeded one
    assert isinstance(metrics["correct"], int)
    with pytest.raises(Refusal, match="round 9"):
        again.evaluate(list(sent), {"fedfleet": evaluation(9, keeps)})
    client.fit(list(sent), recipe(3, 2, keeps))
    if on_disk:
        files = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
        assert sorted(files) == ["run%2F%2E%2E%2F1/pi-1/2.npz", "run%2F%2E%2E%2F1/pi-1/3.npz"]
    with pytest.raises(Refusal, match="8 travelling parameters; 10 arrived"):
        client.fit(read_arrays(build("Net", 10)), recipe(3, 2, keeps))


def test_devices_with_different_numbers_of_classes_share_features_and_keep_their_heads(options):
    """Only the features travel, so each device has a head of its own size."""
    keeps = ["fc3.weight", "fc3.bias"]

    def device(classes, seed):
        own = ImageSet(*images_of(40, classes=classes, seed=seed))
        return FedfleetClient(options(), LocalData("d", tuple(map(str, range(classes))), own, own, HALF, HALF), CPU, Silent())

    def told(instruction, classes):
        return {"fedfleet": json.dumps({**json.loads(instruction), "numClasses": classes})}

    devices = [(10, device(10, 1)), (3, device(3, 2))]
    torch.manual_seed(1)
    sent, losses = read_arrays(build("Net", 10))[:8], []
    for round_number in (1, 2, 3):
        answers = []
        for classes, client in devices:
            instruction = recipe(round_number, round_number - 1, keeps)["fedfleet"]
            answers.append(client.fit(list(sent), told(instruction, classes))[0])
        assert [a.shape for a in answers[0]] == [a.shape for a in answers[1]]
        sent = [(a + b) / 2 for a, b in zip(*answers)]
        found = [c.evaluate(list(sent), told(evaluation(round_number, keeps), n))[0] for n, c in devices]
        losses.append(sum(found))
    assert losses[-1] < losses[0]


def evaluation(kept_from, keeps):
    fields = json.loads(recipe(3, kept_from, keeps)["fedfleet"])
    for key in ("localEpochs", "batchSize", "optimizer", "loss", "seed"):
        del fields[key]
    return json.dumps(fields)


def test_a_kept_file_that_is_damaged_is_refused(tmp_path):
    kept = KeptState(str(tmp_path), "pi-1")
    kept.save("r", 1, {"a": np.zeros(3, np.float32)}, 0)
    assert kept.load("r", 1)["a"].tolist() == [0, 0, 0]
    path = tmp_path / "r" / "pi-1" / "1.npz"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(Refusal, match="round 1"):
        kept.load("r", 1)
