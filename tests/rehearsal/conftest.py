from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rehearsal.deployment import Deployment
from tests.rehearsal.emulator import emulator
from tests.support.machine import functions_python, rehearsal_bin, sam_cli


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deployed once; the tests of the folder use it one after the other, in the order of the file."""
    functions_python()
    sam, programs = sam_cli(), rehearsal_bin()
    folder = tmp_path_factory.mktemp("rehearsal")
    tree = folder / "sources"
    tree.mkdir()
    with emulator(programs, folder) as running:
        deployment = Deployment(running, tree, sam)
        deployment.deploy()
        yield deployment
