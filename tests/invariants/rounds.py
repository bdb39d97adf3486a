"""Runs of a state machine: always the same ones for a seed, and as many rounds as are asked for.

`STEPS`: go on until so many steps were made. `SEED`: the same steps again. `SHRINK`: look for the shortest failure.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

SEED = int(os.environ.get("SEED") or 1)
STEPS = int(os.environ.get("STEPS") or 0)


def make_rounds(
    machine: Callable[[], RuleBasedStateMachine], tally: Counter[str], others: Counter[str], *, runs: int, steps: int
) -> None:
    """At least one round of `runs` runs with up to `steps` steps each, which the machine counts in `tally["steps"]`.

    Tells at the end how often everything happened, by `tally` and `others`.
    """
    began, number = time.monotonic(), SEED
    print()
    while True:
        print(f"SEED={number}", flush=True)
        _round(machine, number, runs, steps)
        number += 1
        if tally["steps"] >= STEPS:
            break
        print(f"  {tally['steps']} steps in {time.monotonic() - began:.0f} s", flush=True)
    print(f"{tally['steps']} steps in {time.monotonic() - began:.0f} s")
    for name, times in sorted((tally + others).items()):
        print(f"{times:7} {name}")


def _round(machine: Callable[[], RuleBasedStateMachine], number: int, runs: int, steps: int) -> None:
    phases = [Phase.generate, Phase.shrink] if os.environ.get("SHRINK") else [Phase.generate]
    run_state_machine_as_test(
        seed(number)(cast("type[RuleBasedStateMachine]", machine)),
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            phases=phases,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
