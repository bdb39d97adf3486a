"""``python -m tests.load``: a local stack under load, from the command line. See local/README.md."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import httpx

from tests.load import driver, report
from tests.support.aws import StackInfo
from tests.support.stack import local_stack


def main() -> int:
    """The exit code: 0 when every invariant holds, else 1."""
    options = _options()
    settings = driver.Settings(
        options.customers,
        options.seconds,
        options.withdrawals,
        options.guests,
        options.seed,
        settle_seconds=60 + options.seconds,
    )

    def run(endpoint: str, info: StackInfo) -> bool:
        result = driver.run(endpoint, info, settings, lambda line: print(line, file=sys.stderr, flush=True))
        print(report.text(result))
        return result.holds

    if options.stack_url:
        url = options.stack_url.rstrip("/")
        answer = httpx.get(f"{url}/local/stack", trust_env=False)
        answer.raise_for_status()
        return 0 if run(url, StackInfo.of(answer.json())) else 1
    folder = Path(tempfile.mkdtemp(prefix="cancel-core-load-"))
    # What comes late under load is not lost. Looked for after half a minute, all of it would be done twice.
    with local_stack(folder, "--no-demo", RECONCILE_AFTER_SECONDS="900") as running:
        holds = run(running.endpoint, running.info)
    if not holds:
        print(f"\nwhat the stack said: {running.output}")
        return 1
    shutil.rmtree(folder)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.load",
        description="Customers cancel, repeat and list on a local stack, all at once, while others come at a rate to "
        "withdraw and to find their order as guests; then the invariants are checked. "
        "Each setting may also come from the environment variable of its name (STACK_URL). For more than a minute take "
        "DYNAMODB=local: moto's engine keeps all it ever wrote, takes one request at a time, and looks through all "
        "orders for a customer's.",
    )
    parser.add_argument("--customers", type=int, default=os.environ.get("CUSTOMERS") or "8")
    parser.add_argument("--seconds", type=float, default=os.environ.get("SECONDS") or "60")
    for name, what in (("withdrawals", "withdraw"), ("guests", "find their order as guests")):
        parser.add_argument(
            f"--{name}",
            type=float,
            default=os.environ.get(name.upper()) or "1",
            help=f"so many come each second to {what}, whatever the stack can do; 0: nobody",
        )
    parser.add_argument(
        "--seed", type=int, default=os.environ.get("SEED") or "1", help="of the mix of visits and orders"
    )
    parser.add_argument(
        "--stack-url", default=os.environ.get("STACK_URL"), help="a local stack that runs; else one is started"
    )
    options = parser.parse_args()
    if min(options.customers, options.seconds, options.withdrawals, options.guests) < 0:
        parser.error("there can be no less than nobody, and no less than no time")
    return options


if __name__ == "__main__":
    sys.exit(main())
