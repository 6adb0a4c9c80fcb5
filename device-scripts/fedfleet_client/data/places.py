"""The place of a data set's files: a folder, or a .tar or .tar.gz archive."""

import os
import tarfile
import zlib
from typing import Dict, Iterator, List, Set, Tuple, Union

from .images import damaged, missing

ARCHIVES = (".tar.gz", ".tgz", ".tar")
FETCH_AGAIN = "Download the file again; it is incomplete or was changed."
# torchvision puts FashionMNIST/raw below its root
_DEPTH = 2
_FOLDERS = 200


class Folder:
    def __init__(self, path: str) -> None:
        self.path = path

    def names(self) -> Set[str]:
        with os.scandir(self.path) as entries:
            return {entry.name for entry in entries if entry.is_file()}

    def read(self, limits: Dict[str, int]) -> Iterator[Tuple[str, bytes]]:
        for name, limit in limits.items():
            path = os.path.join(self.path, name)
            try:
                if os.path.getsize(path) > limit:
                    damaged(path, "is larger than the {} bytes it can have".format(limit), FETCH_AGAIN)
                with open(path, "rb") as file:
                    yield path, file.read()
            except FileNotFoundError:
                missing(path, "is not there", "Put it there.")
            except OSError as error:
                missing(path, "cannot be read ({})".format(error.strerror), "Check its permissions.")


class Archive:
    """Files are known by their own names, whatever folder of the archive they lie in."""

    def __init__(self, path: str) -> None:
        self.path = path

    def _members(self) -> Iterator[Tuple[str, tarfile.TarInfo, tarfile.TarFile]]:
        try:
            with tarfile.open(self.path, "r|*") as archive:
                for member in archive:
                    if member.isfile():
                        yield os.path.basename(member.name), member, archive
        except (tarfile.TarError, EOFError, zlib.error) as error:
            damaged(self.path, "is not a complete archive ({})".format(error), FETCH_AGAIN)
        except OSError as error:
            # gzip reports its own damage as an OSError without a number
            if error.errno is None:
                damaged(self.path, "is not a complete archive ({})".format(error), FETCH_AGAIN)
            missing(self.path, "cannot be read ({})".format(error.strerror), "Check its permissions.")

    def names(self) -> Set[str]:
        return {name for name, _, _ in self._members()}

    def read(self, limits: Dict[str, int]) -> Iterator[Tuple[str, bytes]]:
        left = dict(limits)
        for name, member, archive in self._members():
            if name not in left:
                continue
            where = "{}: {}".format(self.path, name)
            if member.size > left.pop(name):
                damaged(where, "is larger than this file can be", FETCH_AGAIN)
            content = archive.extractfile(member)
            yield where, content.read() if content else b""
        for name in left:
            missing("{}: {}".format(self.path, name), "is not in the archive", FETCH_AGAIN)


Place = Union[Folder, Archive]


def places_in(path: str) -> Tuple[List[Place], List[Place]]:
    """Folders (`path` itself first, then those below it) and archives. ClientExit(10) where there is no such path."""
    if os.path.isfile(path):
        if not path.endswith(ARCHIVES):
            missing(path, "is neither a folder nor an archive", "Name the folder that holds the data.")
        return [], [Archive(path)]
    if not os.path.isdir(path):
        missing(path, "there is no such folder", "Name the folder that holds the data, or put the data there.")
    folders: List[Place] = []
    archives: List[Place] = []
    level = [path]
    for _ in range(_DEPTH + 1):
        below: List[str] = []
        for folder in level[:_FOLDERS]:
            folders.append(Folder(folder))
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                missing(folder, "cannot be read ({})".format(error.strerror), "Check its permissions.")
            for entry in entries:
                if entry.is_dir():
                    below.append(entry.path)
                elif entry.name.endswith(ARCHIVES):
                    archives.append(Archive(entry.path))
        level = below
    return folders, archives
