"""Every byte of the layer is told, once, of the distribution it came with."""

from __future__ import annotations

import re

import pytest

from tests.bench.sizes import END_OF_ARCHIVE, OURS, Size, Sizes, sizes
from tests.support.builds import Build
from tests.support.machine import ROOT


@pytest.fixture(scope="module")
def found(build: Build) -> Sizes:
    return sizes(build)


def test_the_dependencies_are_the_layer(found: Sizes) -> None:
    assert sum(found.dependencies.values(), Size(END_OF_ARCHIVE, 0)) == found.layer
    required = (ROOT / "layers" / "cancel_core" / "requirements.txt").read_text()
    assert found.dependencies.keys() == {OURS, *re.findall(r"^(\S+)==", required, re.MULTILINE)}


def test_what_no_distribution_brought_is_ours(build: Build, found: Sizes) -> None:
    python = build.layer / "python"
    ours = [file for file in (python / "cancel_core").rglob("*") if file.is_file()] + [python / "requirements.txt"]
    assert found.dependencies[OURS].unzipped == sum(file.stat().st_size for file in ours)


def test_each_function_has_its_size(build: Build, found: Sizes) -> None:
    assert found.functions.keys() == build.artifacts.keys()
    assert all(0 < size.zipped < size.unzipped for size in found.functions.values())
