"""A database that does not answer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import documents
from tests.support.client import Client
from tests.support.machine import need
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER, REQUEST, Shop, refused
from tests.support.stack import Running


@contextmanager
def silent_database(stack: Running) -> Iterator[None]:
    """The database takes connections and answers nothing."""
    need(shutil.which("pgrep"), "pgrep, which finds the database's process, is not here.")
    engines = ["pgrep", "-P", str(stack.pid), "-f", r"local\.aws\.moto_server|DynamoDBLocal"]
    found = subprocess.run(engines, capture_output=True, text=True, check=True)
    databases = [int(pid) for pid in found.stdout.split()]
    for database in databases:
        os.kill(database, signal.SIGSTOP)
    try:
        yield
    finally:
        for database in databases:
            os.kill(database, signal.SIGCONT)


def test_a_database_that_does_not_answer_is_503_on_every_route(shop: Shop, stack: Running, anyone: Client) -> None:
    order_id = shop.put(**documents.paid())
    answers = []

    def ask(number: int) -> None:
        match number:
            case 0:
                answers.append(shop.cancel(order_id, key="lost"))
            case 1:
                answers.append(shop.client.get(ELIGIBILITY, order_id=order_id))
            case 2:
                answers.append(shop.client.get(ORDER, order_id=order_id))
            case 3:
                answers.append(shop.client.get(CANCELLATION, order_id=order_id))
            case 4:
                answers.append(shop.client.get("/orders"))
            case 5:
                answers.append(shop.client.delete(REQUEST, order_id=order_id))
            case _:
                answers.append(anyone.get("/cancellation-reasons", params={"store_id": f"new-{shop.mark}"}))

    with silent_database(stack):
        asking = [threading.Thread(target=ask, args=(number,)) for number in range(7)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()

    assert len(answers) == 7
    for answer in answers:
        refused(answer, 503, "SERVICE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) > 0
    # A repeat with the key tells how it stands.
    assert shop.cancel(order_id, key="lost").status_code == 200
    assert shop.cancel(order_id, key="lost").headers["idempotency-replayed"] == "true"
    assert shop.refunded(order_id)["refund"]["status"] == "succeeded"
