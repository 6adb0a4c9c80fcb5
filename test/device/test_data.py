"""Every form in which data can lie, whole, missing and damaged."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest
from conftest import SAMPLE
from parts import images_of, part_of, put

from fedfleet_client.data import cifar, published
from fedfleet_client.data.local_data import load
from fedfleet_client.data.places import Archive, Folder
from fedfleet_client.data.safe_pickle import PickleRefused, read_pickle
from fedfleet_client.exits import ClientExit


def ends(code, named, work):
    with pytest.raises(ClientExit) as end:
        work()
    assert end.value.code == code, end.value.message
    assert str(named) in end.value.message
    assert end.value.next_step
    return end.value.message


# ── parts of arrays ──


def test_a_part_is_read_as_it_was_written(tmp_path):
    path, fields = part_of(tmp_path, train=12, test=5)
    data = load(str(tmp_path), str(path))
    images, labels = images_of(12, seed=len("train"))
    assert np.array_equal(data.train.pixels, images) and np.array_equal(data.train.labels, labels)
    assert (data.dataset, len(data.test), data.mean, data.std) == ("made-up", 5, (0.5,) * 3, (0.25,) * 3)
    assert data.classes == tuple(fields["classes"])


def test_the_part_file_itself(tmp_path):
    path = tmp_path / "part.json"
    ends(10, path, lambda: load(str(tmp_path), str(path)))
    path.write_text("{")
    ends(11, path, lambda: load(str(tmp_path), str(path)))


@pytest.mark.parametrize(
    "field, value",
    [
        ("version", 2),
        ("version", True),
        ("dataset", ""),
        ("classes", []),
        ("classes", "ten"),
        ("mean", [0.5, 0.5]),
        ("std", [0.5, 0.5, 0]),
        ("std", [0.5, 0.5, "x"]),
        ("train", {"images": "0" * 64}),
        ("train", {"images": "../x", "labels": "0" * 64}),
        ("test", None),
        ("folder", "yes"),
        ("train", {"indices": [1]}),
        ("shuffle", True),
    ],
)
def test_each_field_of_a_part_is_checked_and_named(tmp_path, field, value):
    path, _ = part_of(tmp_path, 2, 2, {field: value})
    assert field in ends(11, path, lambda: load(str(tmp_path), str(path)))


def test_an_array_that_is_missing_or_damaged(tmp_path):
    path, fields = part_of(tmp_path)
    file = tmp_path / f"{fields['train']['images']}.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "SHA-256" in ends(11, file, lambda: load(str(tmp_path), str(path)))
    file.write_bytes(whole[:1000])
    ends(11, file, lambda: load(str(tmp_path), str(path)))
    file.unlink()
    ends(10, file, lambda: load(str(tmp_path), str(path)))


def test_arrays_of_a_wrong_kind(tmp_path):
    images, labels = images_of(4)
    right = {"images": put(tmp_path, images), "labels": put(tmp_path, labels)}
    for wrong in (
        {**right, "images": put(tmp_path, images.astype(np.float32))},
        {**right, "images": put(tmp_path, images[:, :, :, :2])},
        {**right, "images": put(tmp_path, images[:, :31])},
        {**right, "images": put(tmp_path, images[:, :30, :30])},
        {**right, "labels": put(tmp_path, labels[:3])},
        {**right, "labels": put(tmp_path, labels.astype(np.int64))},
        {**right, "labels": put(tmp_path, labels.astype(np.uint16))},
        {**right, "labels": put(tmp_path, labels + 10)},
    ):
        path, _ = part_of(tmp_path, 2, 2)
        fields = json.loads(path.read_text())
        path.write_text(json.dumps({**fields, "train": wrong}))
        ends(11, ".npy", lambda: load(str(tmp_path), str(path)))


def test_labels_take_two_bytes_above_256_classes(tmp_path):
    images, _ = images_of(3)
    labels = np.array([0, 255, 700], np.uint16)
    path, fields = part_of(tmp_path, 2, 3, {"classes": ["c{}".format(c) for c in range(701)]})
    wide = {"images": put(tmp_path, images), "labels": put(tmp_path, labels)}
    path.write_text(json.dumps({**fields, "train": wide, "test": wide}))
    assert load(str(tmp_path), str(path)).train.labels.tolist() == [0, 255, 700]
    narrow = {**wide, "labels": put(tmp_path, labels.astype(np.uint8))}
    path.write_text(json.dumps({**fields, "train": narrow, "test": wide}))
    assert "expected uint16 (3,)" in ends(11, ".npy", lambda: load(str(tmp_path), str(path)))


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"x": 1}], dtype=object), allow_pickle=True)
    sha = hashlib.sha256(buffer.getvalue()).hexdigest()
    (tmp_path / f"{sha}.npy").write_bytes(buffer.getvalue())
    path, fields = part_of(tmp_path, 2, 2)
    path.write_text(json.dumps({**fields, "train": {"images": sha, "labels": sha}}))
    assert "no array of numbers" in ends(11, sha, lambda: load(str(tmp_path), str(path)))


# ── parts of a folder ──


def folder_part(tmp_path, train, test, **more):
    fields = {
        "version": 1,
        "dataset": "fashion-mnist-sample",
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "folder": True,
        "train": {"indices": train},
        "test": {"indices": test},
        **more,
    }
    path = tmp_path / "part.json"
    path.write_text(json.dumps(fields))
    return str(path)


def idx_pixels(name):
    return np.frombuffer(gzip.decompress((SAMPLE / name).read_bytes()), np.uint8)


def test_a_part_of_a_folder_has_the_images_of_its_numbers(tmp_path):
    data = load(str(SAMPLE), folder_part(tmp_path, [5999, 3], [0]))
    images = idx_pixels("train-images-idx3-ubyte.gz")[16:].reshape(6000, 28, 28, 1)
    labels = idx_pixels("train-labels-idx1-ubyte.gz")[8:]
    assert np.array_equal(data.train.pixels, images[[5999, 3]])
    assert data.train.labels.tolist() == labels[[5999, 3]].tolist()
    assert (len(data.test), len(data.classes)) == (1, 10)


def test_a_number_that_the_folder_does_not_hold(tmp_path):
    part = folder_part(tmp_path, [6000], [0])
    assert "6000" in ends(11, SAMPLE, lambda: load(str(SAMPLE), part))
    part = folder_part(tmp_path, [0, 1, 2, 3, 4, 5], [0], classes=["only one"])
    ends(11, SAMPLE, lambda: load(str(SAMPLE), part))
    part = folder_part(tmp_path, [-1], [0])
    ends(11, part, lambda: load(str(SAMPLE), part))


def test_without_a_part_all_of_the_data_set(tmp_path):
    data = load(str(SAMPLE), None)
    assert (len(data.train), len(data.test)) == (6000, 1000)
    ends(10, tmp_path / "none", lambda: load(str(tmp_path / "none"), None))
    ends(10, tmp_path, lambda: load(str(tmp_path), None))


# ── idx ──


def write_idx(folder, train=20, test=10, compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("t10k", test)):
        images, labels = images_of(count, side=28, channels=1)
        files = {
            f"{name}-images-idx3-ubyte": struct.pack(">4I", 0x0803, count, 28, 28) + images.tobytes(),
            f"{name}-labels-idx1-ubyte": struct.pack(">2I", 0x0801, count) + labels.tobytes(),
        }
        for file, content in files.items():
            path = folder / (file + ".gz" if compress else file)
            path.write_bytes(gzip.compress(content) if compress else content)
    return folder


@pytest.mark.parametrize("compress", [True, False])
def test_idx_below_the_named_folder(tmp_path, compress):
    write_idx(tmp_path / "FashionMNIST" / "raw", compress=compress)
    data = load(str(tmp_path), None)
    images, labels = images_of(20, side=28, channels=1)
    assert np.array_equal(data.train.pixels, images) and np.array_equal(data.train.labels, labels)


def test_idx_files_that_are_missing_or_damaged(tmp_path):
    def read():
        return load(str(tmp_path), None)

    images = write_idx(tmp_path) / "train-images-idx3-ubyte.gz"
    whole = images.read_bytes()
    plain = gzip.decompress(whole)
    for wrong in (
        whole[:-20],
        b"no gzip",
        gzip.compress(plain[:-1]),
        gzip.compress(b"\0\0\x08\x01" + plain[4:]),
        gzip.compress(plain[:3]),
        gzip.compress(struct.pack(">4I", 0x0803, 20, 27, 29) + plain[16:]),
        gzip.compress(struct.pack(">4I", 0x0803, 19, 28, 28) + plain[16 : -28 * 28]),
    ):
        images.write_bytes(wrong)
        ends(11, "-ubyte.gz", read)
    images.unlink()
    assert "train-images-idx3-ubyte is missing" in ends(10, tmp_path, read)


# ── CIFAR ──


def cifar_batches(form, seed=0):
    """(file, split) to planes (N, 3072) and fine labels."""
    random = np.random.default_rng(seed)
    for batch in form.batches:
        labels = random.integers(0, len(form.classes), batch.count)
        yield batch, random.integers(0, 256, (batch.count, 3072)).astype(np.uint8), labels


def write_cifar(folder, form, protocol=2, texts=False):
    folder.mkdir(parents=True, exist_ok=True)
    for batch, planes, labels in cifar_batches(form):
        if form.label_bytes:
            columns = [labels % 20] * (form.label_bytes - 1) + [labels]
            content = np.column_stack([np.stack(columns, 1).astype(np.uint8), planes]).tobytes()
        else:
            key = form.labels_key.decode() if texts else form.labels_key
            fields = {("data" if texts else b"data"): planes, key: labels.tolist()}
            content = pickle.dumps(fields, protocol)
        (folder / batch.file).write_bytes(content)
    return folder


FORMS = {
    "cifar10-binary": cifar.cifar10(True, 3),
    "cifar10-python": cifar.cifar10(False, 3),
    "cifar100-binary": cifar.cifar100(True, 6, 3),
    "cifar100-python": cifar.cifar100(False, 6, 3),
}


def expected(form, split):
    parts = [(p, l) for batch, p, l in cifar_batches(form) if batch.split == split]
    planes = np.concatenate([p for p, _ in parts])
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.concatenate([l for _, l in parts])


@pytest.mark.parametrize("name", list(FORMS))
@pytest.mark.parametrize("archived", [False, True])
def test_cifar(tmp_path, name, archived):
    form = FORMS[name]
    folder = write_cifar(tmp_path / "batches", form)
    place = Folder(str(folder))
    if archived:
        with tarfile.open(tmp_path / "cifar.tar.gz", "w:gz") as archive:
            archive.add(folder, "cifar-batches")
        place = Archive(str(tmp_path / "cifar.tar.gz"))
    for split, found in zip(("train", "test"), cifar.read(place, form)):
        images, labels = expected(form, split)
        assert np.array_equal(found.pixels, images) and np.array_equal(found.labels, labels)


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("texts", [False, True])
def test_cifars_pickles_in_every_protocol(tmp_path, protocol, texts):
    form = FORMS["cifar10-python"]
    train, _ = cifar.read(Folder(str(write_cifar(tmp_path, form, protocol, texts))), form)
    assert np.array_equal(train.pixels, expected(form, "train")[0])


def test_cifar_that_is_damaged(tmp_path):
    form = FORMS["cifar10-binary"]
    file = write_cifar(tmp_path, form) / "data_batch_3.bin"
    whole = file.read_bytes()
    for wrong in (whole[:-1], whole + b"\0", bytes([10]) + whole[1:]):
        file.write_bytes(wrong)
        ends(11, file, lambda: cifar.read(Folder(str(tmp_path)), form))


def test_the_published_size_is_what_counts(tmp_path):
    write_cifar(tmp_path, FORMS["cifar10-binary"])
    ends(11, "data_batch_1.bin", lambda: load(str(tmp_path), None))


def test_an_archive_is_found_in_the_folder_and_by_its_name(tmp_path, monkeypatch):
    form = FORMS["cifar10-python"]
    monkeypatch.setattr(published, "_FORMATS", (published._cifar(form),))
    folder = write_cifar(tmp_path / "a" / "batches", form)
    data = tmp_path / "data"
    data.mkdir()
    archive_path = data / "cifar-10-python.tar.gz"
    with tarfile.open(archive_path, "w:gz") as archive:
        archive.add(folder, "cifar-10-batches-py")
    for path in (data, archive_path):
        assert len(load(str(path), None).train) == 15
    whole = archive_path.read_bytes()
    archive_path.write_bytes(whole[: len(whole) // 2])
    ends(11, archive_path, lambda: load(str(data), None))
    archive_path.write_bytes(b"not an archive")
    ends(11, archive_path, lambda: load(str(data), None))


def test_a_folder_with_two_data_sets_is_asked_about(tmp_path, monkeypatch):
    ten, hundred = FORMS["cifar10-binary"], FORMS["cifar100-binary"]
    monkeypatch.setattr(published, "_FORMATS", (published._cifar(ten), published._cifar(hundred)))
    write_cifar(tmp_path / "ten", ten)
    write_cifar(tmp_path / "hundred", hundred)
    assert "more than one" in ends(10, tmp_path, lambda: load(str(tmp_path), None))
    assert len(published.read_published(str(tmp_path), "cifar100").classes) == 100


class Evil:
    def __reduce__(self):
        return (print, ("this must never be printed",))


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({b"data": Evil()}),
        pickle.dumps(Evil(), 0),
        b"cos\nsystem\n(S'true'\ntR.",
        b"garbage",
        b"",
        pickle.dumps({b"data": np.zeros(9, np.uint8)})[:-20],
    ],
)
def test_a_pickle_that_wants_more_than_data_is_refused(content, capsys):
    with pytest.raises(PickleRefused):
        read_pickle(content)
    assert capsys.readouterr().out == ""


# ── folders of images ──


def write_images(folder, side=32):
    image = pytest.importorskip("PIL.Image")
    for split in ("train", "test"):
        for label, name in enumerate(["ape", "bee"]):
            (folder / split / name).mkdir(parents=True, exist_ok=True)
            for i in range(3):
                pixels = np.full((side, side, 3), 10 * i + 100 * label, np.uint8)
                image.fromarray(pixels).save(folder / split / name / f"{i}.png")
    return folder


def test_images_in_folders(tmp_path):
    data = load(str(write_images(tmp_path)), None)
    assert data.classes == ("ape", "bee")
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.train.pixels[:, 0, 0, 0].tolist() == [0, 10, 20, 100, 110, 120]


def test_images_that_are_damaged(tmp_path):
    image = pytest.importorskip("PIL.Image")
    file = write_images(tmp_path) / "train" / "bee" / "1.png"
    image.fromarray(np.zeros((40, 32, 3), np.uint8)).save(file)
    ends(11, file, lambda: load(str(tmp_path), None))
    file.write_bytes(b"no image")
    ends(11, file, lambda: load(str(tmp_path), None))
    file.unlink()
    (tmp_path / "test" / "cat").mkdir()
    ends(11, tmp_path / "test" / "cat", lambda: load(str(tmp_path), None))
