"""How large the artifacts are, and what each dependency adds to the layer.

Zipped is what is uploaded, and what Lambda limits to 50 MB; unzipped is what it limits to 250 MB for a function with
its layers.
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import source_from_cache
from pathlib import Path

from tests.support.builds import Build

OURS = "cancel-core"
# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT: the headers of an entry, each with the file's name, and
# the end of an archive.
LOCAL_HEADER, CENTRAL_HEADER, END_OF_ARCHIVE = 30, 46, 22


@dataclass(frozen=True)
class Size:
    """In bytes."""

    zipped: int
    unzipped: int

    def __add__(self, other: Size) -> Size:
        return Size(self.zipped + other.zipped, self.unzipped + other.unzipped)


@dataclass(frozen=True)
class Sizes:
    """`functions`: by logical id. `dependencies`: of the layer, by distribution, with what is ours as OURS.

    Their sum is the layer, but for the END_OF_ARCHIVE of its zip file.
    """

    layer: Size
    functions: Mapping[str, Size]
    dependencies: Mapping[str, Size]


def sizes(build: Build) -> Sizes:
    """Of what `make build` has built, bytecode and all."""
    entries, layer = _zip(build.layer)
    return Sizes(
        layer=layer,
        functions={name: _zip(artifact)[1] for name, artifact in build.artifacts.items()},
        dependencies=_dependencies(build.layer, entries),
    )


def _zip(folder: Path) -> tuple[list[zipfile.ZipInfo], Size]:
    """The entries of a zip file of the folder's files, and how large it is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))
    entries = archive.infolist()
    return entries, Size(len(packed.getvalue()), sum(entry.file_size for entry in entries))


def _dependencies(layer: Path, entries: Iterable[zipfile.ZipInfo]) -> dict[str, Size]:
    """The largest first."""
    owners = dict(_recorded(layer / "python"))
    found: dict[str, Size] = defaultdict(lambda: Size(0, 0))
    for entry in entries:
        file = entry.filename.removeprefix("python/")
        headers = LOCAL_HEADER + CENTRAL_HEADER + 2 * len(entry.filename.encode())
        found[owners.get(_source(file), OURS)] += Size(entry.compress_size + headers, entry.file_size)
    return dict(sorted(found.items(), key=lambda item: -item[1].unzipped))


def _recorded(folder: Path) -> Iterator[tuple[str, str]]:
    """Each file that a distribution has installed, and the distribution's name as a requirement has it."""
    for distribution in distributions(path=[str(folder)]):
        for file in distribution.files or ():
            yield file.as_posix(), distribution.name.lower().replace("_", "-")


def _source(file: str) -> str:
    """Bytecode belongs to whom its source belongs; no RECORD has it, for it is made after installing."""
    return source_from_cache(file) if file.endswith(".pyc") else file
