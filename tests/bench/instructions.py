"""How many instructions a function's init executes, counted by valgrind: nearly the same number at each run, on a busy
machine as well. A change of a hundredth shows, which the times of cold starts do not.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace

from local.runtime.function import Function
from tests.bench.cold import BOTO3
from tests.package.conftest import run_by_itself

# Without the counting of caches, and without a file.
VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
CLIENT = "import awslambdaric.bootstrap, os"
"""The runtime's own client comes first, in each function."""


def can_count() -> bool:
    return shutil.which(VALGRIND[0]) is not None


def instructions(functions: Mapping[str, Function]) -> dict[str, float]:
    """The instructions of each function's init, as a ratio to boto3 with one client, which is among the functions.
    Those that start Python and the runtime's client are taken off both.
    """
    nothing = _count(functions[BOTO3], CLIENT)
    counted = {name: _count(function, f"{CLIENT}, app") - nothing for name, function in functions.items()}
    return {name: own / counted[BOTO3] for name, own in counted.items()}


def _count(function: Function, imports: str) -> int:
    # Sets of texts have the same order at each run.
    fixed = replace(function, environment={**function.environment, "PYTHONHASHSEED": "0"})
    # Init alone: not what Python does at its end.
    done = run_by_itself(fixed, "-c", f"{imports}; os._exit(0)", before=VALGRIND)
    (number,) = re.findall(r"I +refs: +([\d,]+)", done.stderr)
    return int(number.replace(",", ""))
