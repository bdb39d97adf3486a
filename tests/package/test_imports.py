"""What a cold start imports. Imports are most of it, so that what a function does not use must not be among them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.builds import Build
from tests.conftest import Aws
from tests.package.conftest import alone, run_by_itself

Imported = Mapping[str, Mapping[str, tuple[str, str | None]]]

SCRIPT = """\
import json, sys
import app
print(json.dumps({name: [module.__file__, getattr(module, "__cached__", None)] for name, module in sys.modules.items()
                  if getattr(module, "__file__", None) and name != "__main__"}))
"""


@pytest.fixture(scope="module")
def imported(build: Build, aws: Aws, runtime_folder: Path) -> Imported:
    """By function what is imported when it has been initialised: module -> file, bytecode."""

    functions = alone(build, build.layer, aws, runtime_folder)
    return {name: json.loads(run_by_itself(function, "-c", SCRIPT).stdout) for name, function in functions.items()}


# What the layer and the runtime carry and every function imports. Nothing comes in without somebody's notice.
PACKAGES = {
    *(
        "annotated_types",
        "aws_lambda_powertools",
        "botocore",
        "cancel_core",
        "dateutil",
        "jmespath",
        "pydantic",
    ),
    *("pydantic_core", "six", "typing_extensions", "typing_inspection", "urllib3"),
}
EVERYWHERE = {
    *("attributes", "aws", "changes", "errors", "events", "order", "policy", "providers", "refund_plan", "rules"),
    *("tables", "telemetry", "views", "wiring"),
}
OWN = {
    "ListReasonsFunction": {"api"},
    "ListOrdersFunction": {"api", "queries"},
    "GetOrderFunction": {"api", "queries"},
    "CheckEligibilityFunction": {"api", "queries"},
    "CancelOrderFunction": {"api", "cancel", "clock"},
    "GetCancellationFunction": {"api", "queries"},
    "PublishEventsFunction": {"announce", "bus", "clock"},
    "RefundOrderFunction": {"clock", "providers.offline", "refund"},
    "ReconcileRefundsFunction": {"announce", "bus", "clock"},
    "ValidateConfigFunction": {"bus", "clock", "config_changes", "configs"},
    "SeedConfigFunction": set[str](),
}
"""Our own modules, by function, beside those of all."""
MODULES = 440
"""Of all kinds. botocore with one client alone imports some 320."""


def test_nothing_is_imported_that_is_not_used(imported: Imported) -> None:
    for function, modules in imported.items():
        packages = {name.split(".")[0] for name in modules} - sys.stdlib_module_names - {"app"}
        # requests, which Stripe's client requires, brings it, and botocore takes it where it is.
        extra = {"certifi"} if function == "RefundOrderFunction" else set()
        assert {name for name in packages if not name.startswith("_sysconfigdata")} == PACKAGES | extra, function
        own = {name.removeprefix("cancel_core.") for name in modules if name.startswith("cancel_core.")}
        assert own == EVERYWHERE | OWN[function], function
        assert len(modules) <= MODULES, function


def test_nothing_is_compiled_at_a_cold_start(build: Build, imported: Imported) -> None:
    """Lambda's disk can't be written to, so what lacks its bytecode is compiled each time."""
    carried = (build.layer, *build.artifacts.values())
    for function, modules in imported.items():
        for name, (file, bytecode) in modules.items():
            if not file.endswith(".py") or not any(Path(file).is_relative_to(folder) for folder in carried):
                continue
            assert bytecode, (function, name)
            assert Path(bytecode).exists(), (function, name)
            # PEP 552: by a hash, and not checked: a package's files do not keep their times.
            assert Path(bytecode).read_bytes()[4:8] == b"\x01\0\0\0", (function, name)
