"""Automatic recovery: the reconciler publishes again what has been pending for too long."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import documents
from tests.support.machine import need
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

# Pending for 30 s, a run every 15 s, and the refund itself.
HEALED_SECONDS = 60
PROCESSES = Path("/proc")


def test_a_lost_event_and_a_refund_that_crashed_end_in_one_refund_each(shop: Shop, stack: Running) -> None:
    need(PROCESSES.is_dir(), "A function's processes are found by their environment, which Linux alone shows.")
    events, bus = shop.aws.events, stack.info.event_bus
    (rule,) = [rule["Name"] for rule in events.list_rules(EventBusName=bus)["Rules"] if "RefundRule" in rule["Name"]]
    lost, crashed = shop.put(**documents.paid()), shop.put(**documents.paid())

    targets = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    events.remove_targets(Rule=rule, EventBusName=bus, Ids=[target["Id"] for target in targets])
    try:
        shop.canceled(lost)
        wait_until(lambda: f'"order_id":"{lost}","store_id"' in stack.said(), what="the cancel is published")
    finally:
        events.put_targets(Rule=rule, EventBusName=bus, Targets=targets)
    # None that is warm is left before the cancel, and none that starts for it lives long enough to take the message.
    with killing("RefundOrderFunction", stack) as killed:
        wait_until(lambda: killed.rounds > 1, what="no process is warm")
        before = killed.processes
        shop.canceled(crashed)
        wait_until(lambda: killed.processes > before, what="the message has come, and its process was killed")

    assert [shop.cancellation(order_id)["refund"]["status"] for order_id in (lost, crashed)] == ["pending", "pending"]

    def healed() -> bool:
        return all(shop.cancellation(order_id)["refund"]["status"] == "succeeded" for order_id in (lost, crashed))

    wait_until(healed, what="both refunds are there", seconds=HEALED_SECONDS, every=0.5)
    for order_id in (lost, crashed):
        after = shop.stored(order_id)
        assert after["status"] == "closed"
        assert [entry["status"] for entry in after["history"]].count("closed") == 1


@dataclass
class Killed:
    """How often it was looked for processes, and how many were killed."""

    rounds: int = 0
    processes: int = 0


@contextmanager
def killing(function: str, stack: Running) -> Iterator[Killed]:
    """Kills every process of the function as soon as it is there."""
    over, killed = threading.Event(), Killed()

    def kill() -> None:
        while not over.wait(0.02):
            for pid in processes_of(function, stack):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.processes += 1
            killed.rounds += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


def processes_of(function: str, stack: Running) -> Iterator[int]:
    """The processes of a function of this stack and no other."""
    wanted = {f"AWS_LAMBDA_FUNCTION_NAME=cancel-core-{function}", f"AWS_ENDPOINT_URL={stack.info.endpoint_url}"}
    for folder in PROCESSES.iterdir():
        # A process may end while it is looked at.
        with suppress(OSError):
            if folder.name.isdigit() and wanted <= set((folder / "environ").read_text(errors="replace").split("\0")):
                yield int(folder.name)
