"""How the tests are dealt out to processes."""

from __future__ import annotations

from tests.parallel import FIRST, TOGETHER, group
from tests.support.machine import ROOT


def test_what_is_named_are_folders_of_tests() -> None:
    named = {*FIRST, *TOGETHER, *TOGETHER.values()}
    assert {name for name in named if not (ROOT / "tests" / name).is_dir()} == set()
    assert TOGETHER.keys() & {*FIRST, *TOGETHER.values()} == set()


def test_folders_that_must_not_run_at_once_go_to_one_process() -> None:
    assert group("tests/template/test_parallel.py::test[a/b]") == "template"
    assert {group(f"tests/{name}/test_x.py::test") for name in ("faults", "invariants", "load")} == {"faults"}
