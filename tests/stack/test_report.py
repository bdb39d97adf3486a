"""The operator's report on the running stack, by `make report` as it is typed, from the tables and from an export."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ops.test_report import export
from tests.support import documents
from tests.support.machine import ROOT
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until


def make_report(
    stack: Running, *variables: str, typed: str = "", succeeds: bool = True
) -> subprocess.CompletedProcess[str]:
    now = datetime.now(UTC).date()
    period = (f"FROM={now - timedelta(days=1)}", f"TO={now + timedelta(days=1)}")
    # The tests' own Python has what is locked, whatever the files' times say.
    installed = ("-o", "requirements/run.txt", f"VENV={sys.prefix}")
    done = subprocess.run(
        ["make", "-s", *installed, "report", *period, f"DO=--local --url {stack.endpoint}", *variables],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
    return done


def of_store(shop: Shop, table: str) -> list[dict[str, Any]]:
    return [row for row in shop.aws.rows(table) if row.get("store_id") == shop.store_id]


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """Two orders are cancelled, and the shop is asked about a third."""
    for order_id in [shop.put(**documents.paid()) for _ in range(2)]:
        shop.canceled(order_id)
        shop.refunded(order_id)
    shop.configure(approval="always")
    order_id = shop.put(**documents.paid())
    assert shop.cancel(order_id, reason="other").status_code == 202
    wait_until(lambda: of_store(shop, "requests"), what="the request is in its table")
    return shop


def test_an_export_of_more_than_one_page_is_whole(shop: Shop) -> None:
    """DynamoDB ends a page at a megabyte; what other tests have left is more than that."""
    order_ids = [shop.put(**documents.paid(note="x" * 300_000)) for _ in range(5)]
    try:
        assert {order["order_id"] for order in of_store(shop, "orders")} == set(order_ids)
    finally:
        for order_id in order_ids:
            shop.aws.orders.delete_item(Key={"order_id": order_id})


def test_what_was_cancelled_and_asked_for_is_counted(sold: Shop, stack: Running, tmp_path: Path) -> None:
    table, picture = tmp_path / "report.csv", tmp_path / "report.svg"
    asked = (f"STORE={sold.store_id}", f"CSV={table}", f"PLOT={picture}")
    refused = make_report(stack, *asked, typed="n\n", succeeds=False)
    assert "Read them? [y/N] Nothing was read." in refused.stderr
    assert not table.exists()

    from_tables = make_report(stack, *asked, typed="y\n")
    assert "2 cancel(s) and 1 request(s)" in from_tables.stdout
    (line,) = [line for line in from_tables.stdout.splitlines() if line.startswith(sold.store_id)]
    assert line.split() == [sold.store_id, "SEK", "2", "1", "1", "400.00", "200.00"]
    rows = {row["reason"]: row for row in csv.DictReader(table.open(encoding="utf-8", newline=""))}
    assert {name: (row["cancels"], row["refunded"], row["open"]) for name, row in rows.items()} == {
        "no_longer_needed": ("2", "40000", "0"),
        "other": ("0", "0", "1"),
    }
    assert ET.parse(picture).getroot().get("role") == "img"

    export(tmp_path / "orders", of_store(sold, "orders"))
    export(tmp_path / "requests", of_store(sold, "requests"))
    from_export = make_report(stack, f"EXPORT={tmp_path}", f"STORE={sold.store_id}")
    # But for what other stores have.
    assert from_export.stdout.partition(";")[0] == from_tables.stdout.partition(";")[0]
