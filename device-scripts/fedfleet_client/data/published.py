"""Finds out which data set is in a folder, and reads it in the order in which it was published."""

from dataclasses import dataclass
from typing import Callable, List, Optional, Set, Tuple

from . import cifar, idx, image_folders
from .images import ImageSet, missing
from .places import Folder, Place, places_in


@dataclass(frozen=True)
class Published:
    dataset: str
    classes: Tuple[str, ...]
    train: ImageSet
    test: ImageSet
    mean: Tuple[float, float, float]
    std: Tuple[float, float, float]


@dataclass(frozen=True)
class _Format:
    """names: the data sets that have this form. wanted: the files among `present` that it would read, or why not."""

    names: Tuple[str, ...]
    title: str
    wanted: Callable[[Set[str]], List[str]]
    read: Callable[[Place], "Published"]


def _cifar(form: cifar.Form) -> _Format:
    def read(place: Place) -> Published:
        train, test = cifar.read(place, form)
        return Published(form.dataset, form.classes, train, test, form.mean, form.std)

    return _Format((form.dataset,), form.title, lambda _: [batch.file for batch in form.batches], read)


def _read_idx(place: Place) -> Published:
    train, test = idx.read(place)
    classes = tuple(str(c) for c in range(10))
    return Published("idx", classes, train, test, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


_FORMATS = tuple(_cifar(form) for form in cifar.FORMS) + (
    _Format(("fashion-mnist", "fashion-mnist-sample", "mnist"), "Fashion-MNIST or MNIST (idx)", idx.wanted, _read_idx),
)
_EXPECTED = (
    "the files of CIFAR-10 or CIFAR-100 (python or binary form, unpacked or as .tar.gz), of Fashion-MNIST or MNIST "
    "(idx, plain or .gz), or folders train/<class>/ and test/<class>/ with images"
)
_PUT = "Put {} there.".format(_EXPECTED)


def read_published(path: str, dataset: Optional[str]) -> Published:
    """All of a data set.

    path: a folder, or an archive; dataset: which one is meant, for a folder that holds several.
    ClientExit(10) where there is none or a file of it is missing, ClientExit(11) where it is damaged.
    """
    folders, archives = places_in(path)
    closest: Tuple[int, str] = (0, "")
    # Unpacked files first: to look into an archive, it has to be unpacked.
    for group in (folders, archives):
        whole: List[Tuple[_Format, Place]] = []
        for place in group:
            present = place.names()
            for form in _FORMATS:
                files = form.wanted(present)
                absent = [name for name in files if name not in present]
                if not absent:
                    whole.append((form, place))
                elif len(files) - len(absent) > closest[0]:
                    text = "{} looks like {}, but {} is missing".format(place.path, form.title, ", ".join(absent))
                    closest = (len(files) - len(absent), text)
            if isinstance(place, Folder) and image_folders.recognise(place.path):
                form = _Format((), "folders of images", lambda _: [], _image_reader)
                whole.append((form, place))
        chosen = _choose(path, whole, dataset)
        if chosen is not None:
            form, place = chosen
            return form.read(place)
    if closest[0] > 0:
        missing(path, closest[1], "Put the missing files there, or unpack the whole archive again.")
    missing(path, "there is no data set in it", _PUT)


def _image_reader(place: Place) -> Published:
    classes, train, test = image_folders.read(place.path)
    return Published("images", classes, train, test, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _choose(
    path: str, whole: List[Tuple[_Format, Place]], dataset: Optional[str]
) -> Optional[Tuple[_Format, Place]]:
    if len(whole) > 1:
        # The same data set in two forms holds the same images in the same order.
        meant = [found for found in whole if dataset in found[0].names]
        whole = meant or whole
        if len({found[0].names for found in whole}) > 1:
            what = ", ".join("{} in {}".format(form.title, place.path) for form, place in whole)
            missing(path, "holds more than one data set: {}".format(what), "Name the folder of one of them.")
    return whole[0] if whole else None
