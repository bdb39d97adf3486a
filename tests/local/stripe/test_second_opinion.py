"""What another server of Stripe's charges answers to the same requests: the npm package `stripe-stateful-mock`.

Nobody here wrote it, and it has no PaymentIntents. What both leave to the reference is compared: status, type, code,
parameter, and amounts. Not the wording, and not the ids.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.alone import alone
from local.aws.ports import free_port
from local.stripe.server import StripeServer
from tests.support.machine import ROOT, need
from tests.support.stripe_servers import KEY, server

PACKAGE = Path(__file__).parent / "stripe-stateful-mock"
INSTALLED = ROOT / ".local" / "stripe-stateful-mock"


@contextmanager
def stateful_mock(folder: Path) -> Iterator[str]:
    """Installs it where it has not been, and starts it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    need(node and npm, "npm is not installed: it brings a server of Stripe's charges.")
    assert node
    assert npm
    lock = PACKAGE / "package-lock.json"
    with alone(INSTALLED):
        if not (INSTALLED / "done").exists() or (INSTALLED / "done").read_text() != lock.read_text():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PACKAGE / name, INSTALLED / name)
            done = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=INSTALLED,
                capture_output=True,
                text=True,
                check=False,
            )
            need(done.returncode == 0, f"npm could not install stripe-stateful-mock: {done.stderr[-300:]}")
            (INSTALLED / "done").write_text(lock.read_text())
    port = free_port()
    script = INSTALLED / "node_modules" / "stripe-stateful-mock" / "dist" / "cli.js"
    with server([node, str(script)], port, folder, PORT=str(port), LOG_LEVEL="warn") as url:
        yield url


Step = tuple[str, str, str]
"""An idempotency key or none, a path where {charge} and {refund} are the last ones made, and the body."""

GIVE_BACK: list[Step] = [
    ("", "/v1/charges", "amount=1000&currency=USD&source=tok_visa&metadata[order]=7"),
    ("", "/v1/refunds", "charge={charge}&amount=1001"),
    ("", "/v1/refunds", "charge={charge}&amount=400&metadata[refund_id]=r-1&reason=requested_by_customer"),
    ("", "/v1/refunds", "charge={charge}&amount=601"),
    ("", "/v1/charges/{charge}", ""),
    ("", "/v1/refunds/{refund}", ""),
    ("", "/v1/refunds", "charge={charge}"),
    ("", "/v1/refunds", "charge={charge}&amount=1"),
    ("", "/v1/refunds", "charge={charge}"),
    ("", "/v1/charges/{charge}", ""),
    ("", "/v1/refunds?charge={charge}", ""),
    ("", "/v1/refunds/re_nothing", ""),
    ("", "/v1/charges/ch_nothing", ""),
    ("", "/v1/refunds", "charge=ch_nothing"),
]
RELEASE: list[Step] = [
    ("", "/v1/charges", "amount=1000&currency=usd&source=tok_visa&capture=false"),
    ("", "/v1/refunds", "charge={charge}&amount=400"),
    ("", "/v1/refunds", "charge={charge}"),
    ("", "/v1/charges/{charge}", ""),
    ("", "/v1/refunds", "charge={charge}"),
]
CAPTURE: list[Step] = [
    ("", "/v1/charges", "amount=1000&currency=usd&source=tok_visa&capture=false"),
    ("", "/v1/charges/{charge}/capture", "amount=1000"),
    ("", "/v1/charges/{charge}/capture", ""),
    ("", "/v1/refunds", "charge={charge}&amount=1000"),
]
KEYS: list[Step] = [
    ("c", "/v1/charges", "amount=1000&currency=usd&source=tok_visa"),
    ("c", "/v1/charges", "amount=1000&currency=usd&source=tok_visa"),
    ("c", "/v1/charges", "amount=1001&currency=usd&source=tok_visa"),
    ("r", "/v1/refunds", "charge={charge}&amount=400"),
    ("r", "/v1/refunds", "charge={charge}&amount=400"),
    ("r", "/v1/refunds", "charge={charge}&amount=500"),
    ("", "/v1/charges/{charge}", ""),
    ("x", "/v1/refunds", "charge={charge}&amount=700"),
    ("x", "/v1/refunds", "charge={charge}&amount=700"),
    ("", "/v1/refunds?charge={charge}", ""),
]
DECLINED: list[Step] = [
    ("", "/v1/charges", "amount=1000&currency=usd&source=tok_chargeDeclined"),
    ("", "/v1/charges", "amount=1000&currency=usd&source=tok_chargeDeclinedInsufficientFunds"),
]

SHOWN = (
    "object", "amount", "amount_refunded", "captured", "refunded", "currency", "status", "paid", "metadata", "reason",
    "has_more", "type", "code", "decline_code", "param",
)  # fmt: skip


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stateful_mock(tmp_path_factory.mktemp("stateful-mock")) as url:
        yield url


def answers(url: str, steps: list[Step]) -> list[dict[str, Any]]:
    """What is told of each step, and whether it is of the same object as one before."""
    told: list[dict[str, Any]] = []
    seen: list[str] = []
    last = {"charge": "", "refund": ""}
    with httpx.Client(base_url=url, auth=(KEY, ""), trust_env=False) as client:
        for key, path, body in steps:
            headers = {"idempotency-key": key} if key else {}
            content = body.format(**last)
            method = "POST" if body or path.endswith("/capture") else "GET"
            answer = client.request(method, path.format(**last), content=content, headers=headers | FORM)
            shown = answer.json()
            row = shown.get("error", shown)
            kept = {name: row[name] for name in SHOWN if row.get(name) is not None}
            if "data" in shown:
                # What was made in the same second has no order there.
                kept["amounts"] = sorted(one["amount"] for one in shown["data"])
            if "id" in shown:
                last[shown["object"]] = shown["id"]
                seen += [] if shown["id"] in seen else [shown["id"]]
                kept["which"] = seen.index(shown["id"])
            told.append({"asked": f"{path} {body}", "http": answer.status_code, **kept})
    return told


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "steps", [GIVE_BACK, RELEASE, CAPTURE, KEYS, DECLINED], ids=["give back", "release", "capture", "keys", "declined"]
)
def test_both_answer_the_same(theirs: str, steps: list[Step]) -> None:
    with StripeServer() as ours:
        assert answers(ours.url, steps) == answers(theirs, steps)
