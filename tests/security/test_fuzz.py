"""Every operation of docs/openapi.yaml, asked with what the document allows and with what it does not, by Schemathesis.

It holds each answer against the document (status, media type, headers, schema), sees that what the document does not
allow is refused, and sends requests again without their token, or with a bad one. What it sends is generated from a
fixed seed; `schemathesis.toml` has its settings. Here is what no document can say: what belongs to others stays theirs.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.support import documents
from tests.support.aws import Aws
from tests.support.client import PRIVATE_EMAIL, PRIVATE_REFERENCE
from tests.support.openapi import ApiDocument
from tests.support.shop import CANCELLATION, ELIGIBILITY, ORDER, REASONS, REQUEST, Shop, token_of
from tests.support.stack import Running, local_stack
from tests.support.waiting import wait_until

SETTINGS = Path(__file__).with_name("schemathesis.toml")
SECONDS = 900
"""So that it does not hang for ever: 15 are enough on two idle cores."""
pytestmark = pytest.mark.timeout(SECONDS + 60)

GUEST = "/guest/order"
WITHDRAWAL = "/orders/{order_id}/withdrawal"
ADDRESS = "guest@example.com"
NOT_THEIRS = ("someone-elses", "nobodys")
MET = {
    ("GET", REASONS): {200, 304, 422},
    ("GET", "/orders"): {200, 304, 401, 422},
    ("GET", ORDER): {200, 304, 401, 404},
    ("GET", ELIGIBILITY): {200, 304, 401, 404},
    ("GET", CANCELLATION): {200, 304, 401, 404},
    ("POST", CANCELLATION): {200, 202, 400, 401, 404, 409, 415, 422},
    ("DELETE", REQUEST): {200, 401, 404, 409},
    ("POST", "/guest-access"): {202, 400, 415, 422},
    ("POST", "/guest-access/token"): {400, 401, 415, 422},
    ("GET", GUEST): {200, 304, 401},
    ("GET", f"{GUEST}/cancellation-eligibility"): {200, 304, 401},
    ("GET", f"{GUEST}/cancellation"): {200, 304, 401},
    ("POST", f"{GUEST}/cancellation"): {200, 400, 401, 409, 415, 422},
    ("DELETE", f"{GUEST}/cancellation-request"): {200, 401},
    ("POST", "/withdrawals"): {201, 400, 415, 422},
    ("POST", WITHDRAWAL): {201, 400, 401, 404, 415, 422},
}
"""The statuses that must be among each operation's answers: a fuzzer that only ever meets 404 proves nothing."""

EXAMPLES = {
    "OrderId": ["cancelled", "paid-1", "asks-1", "paid-2", "shipped", "asked", "declined", "cancelled", *NOT_THEIRS],
    "IfNoneMatch": ["*", '"another"'],
}
"""Values of parameters that are sent before anything is generated, combined by their position."""


def request(status: str) -> dict[str, Any]:
    """What an order carries of a request to the shop."""
    at = documents.timestamp()
    reason = {"code": "other", "description": "Another reason"}
    made = {"request_id": f"req_{status.encode().hex():0>32}", "status": status, "reason": reason, "amount": 20000}
    return made | {"requested_at": at, "made_by": status}


def orders(customer_id: str) -> dict[str, dict[str, Any]]:
    """The orders that the settings name, by id."""
    beyond_new: dict[str, dict[str, Any]] = {
        **{f"new-{number}": {} for number in range(1, 5)},
        **{f"paid-{number}": documents.paid() for number in range(1, 5)},
        **{f"authorized-{number}": {"payments": [documents.authorized(20000)]} for number in range(1, 3)},
        "too-little-paid": documents.paid(payments=[documents.captured(1)]),
        "shipped": documents.paid(items=[documents.invoiced(qty_shipped=1)]),
        "complete": documents.paid(status="complete"),
        "cancelled": documents.paid(),
        "switched-off": {"store_id": "switched-off"},
        **{f"asks-{number}": documents.paid(store_id="asks") for number in range(1, 5)},
        "asked": documents.paid(store_id="asks", cancellation_request=request("open")),
        "declined": documents.paid(cancellation_request=request("declined")),
        "someone-elses": documents.paid(customer_id="someone-else"),
        "nobodys": documents.paid(),
        # Whose request was taken back, which may be repeated whatever comes first.
        "guests": documents.paid(customer_email=ADDRESS, cancellation_request=request("withdrawn")),
    }
    made = {name: documents.order(name, customer_id, "default") | more for name, more in beyond_new.items()}
    for name in ("nobodys", "guests"):
        del made[name]["customer_id"]
    return made


class Answer(NamedTuple):
    """One answer. `path` is the operation's template, `url` what was really asked for, without the host."""

    method: str
    path: str
    url: str
    status: int
    body: str


@dataclass(frozen=True)
class Fuzzed:
    """What came of it: the program's exit code and what it said, every answer it got, and the stack afterwards."""

    code: int
    said: str
    answers: list[Answer]
    orders: dict[str, dict[str, Any]]
    """As the order system put them."""
    shop: Shop
    stack: Running
    token: str


def described_for_fuzzing() -> dict[str, Any]:
    """The document, with what `x-constraints` and `x-extensible-enum` say, which Schemathesis does not read.

    The examples of its parameters are EXAMPLES, which Schemathesis sends before it generates anything. So the statuses
    in MET occur with every seed: they do not depend on which orders the generator draws.
    """
    document: dict[str, Any] = json.loads(json.dumps(ApiDocument().document))
    for name, values in EXAMPLES.items():
        parameter = document["components"]["parameters"][name]
        parameter.pop("example", None)
        parameter["examples"] = {str(number): {"value": value} for number, value in enumerate(values)}
    return document


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    folder = tmp_path_factory.mktemp("fuzz")
    with local_stack(folder, "--no-demo", CONFIG_CACHE_SECONDS="0") as running:
        aws = Aws(running.info)
        shop = Shop(aws, running.endpoint)
        for scope, enabled in {"default": True, "store:switched-off": False}.items():
            more: dict[str, Any] = {"guest_access": True, "withdrawal": {"enabled": True}}
            more["mail"] = {"from": "shop@example.com"}
            aws.config.put_item(Item={"scope": scope, "enabled": enabled, "reasons": documents.REASONS, **more})
        aws.config.put_item(Item={"scope": "store:asks", "approval": "always"})
        put = orders(shop.customer_id)
        for document in put.values():
            shop.put_exactly(document)
        shop.canceled("cancelled")
        token, report = token_of(running.endpoint, shop.customer_id), folder / "report.ndjson"
        described = folder / "openapi.json"
        described.write_text(json.dumps(described_for_fuzzing()), encoding="utf-8")
        command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={SETTINGS}", "--no-color", "run"]
        done = subprocess.run(
            [*command, str(described), f"--url={running.endpoint}", f"--report-ndjson-path={report}"],
            # It leaves files where it is started.
            cwd=folder,
            env=os.environ | {"CUSTOMER_TOKEN": token, "GUEST_TOKEN": guest_token(running.endpoint)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        answers = list(_answers(report, running.endpoint))
        yield Fuzzed(done.returncode, done.stdout + done.stderr, answers, put, shop, running, token)
        shop.close()
        aws.close()


def guest_token(endpoint: str) -> str:
    """As the guest gets it."""
    asked = {"order_id": "guests", "email": ADDRESS}
    httpx.post(f"{endpoint}/guest-access", json=asked)

    def mailed() -> list[dict[str, Any]]:
        mails: list[dict[str, Any]] = httpx.get(f"{endpoint}/local/mails").json()["mails"]
        return mails

    code = re.search(r"^ {4}([0-9]{6})$", wait_until(mailed, what="the code is mailed")[0]["text"], re.MULTILINE)
    assert code
    answer = httpx.post(f"{endpoint}/guest-access/token", json={"order_id": "guests", "code": code[1]})
    token: str = answer.json()["token"]
    return token


def _answers(report: Path, endpoint: str) -> Iterator[Answer]:
    """From the events that Schemathesis writes, one JSON document a line."""
    routes = {
        (method, path): re.compile(re.sub(r"\{[^}]*\}", "[^/?]+", path) + r"(\?.*)?")
        for method, path in ApiDocument().operations()
    }
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for one in recorder.get("interactions", {}).values():
            asked, answer = one["request"], one["response"]
            url = asked["uri"].removeprefix(endpoint)
            body = base64.b64decode((answer.get("content") or {}).get("$base64", "")).decode()
            for (method, path), pattern in routes.items():
                if asked["method"] == method and pattern.fullmatch(url):
                    yield Answer(method, path, url, answer["status_code"], body)


def test_every_answer_is_as_the_document_says(fuzzed: Fuzzed) -> None:
    assert fuzzed.code == 0, fuzzed.said


def test_each_kind_of_answer_was_among_them(fuzzed: Fuzzed) -> None:
    met: dict[tuple[str, str], set[int]] = {operation: set() for operation in ApiDocument().operations()}
    for answer in fuzzed.answers:
        met[answer.method, answer.path].add(answer.status)
    assert {operation: met[operation] & statuses for operation, statuses in MET.items()} == MET
    assert met.keys() == MET.keys()


@pytest.mark.parametrize("order_id", NOT_THEIRS)
def test_what_is_not_theirs_is_neither_shown_nor_changed(fuzzed: Fuzzed, order_id: str) -> None:
    asked = [answer for answer in fuzzed.answers if answer.url.startswith(f"/orders/{order_id}")]
    assert {answer.path for answer in asked} == {ORDER, ELIGIBILITY, CANCELLATION, REQUEST, WITHDRAWAL}
    assert all(answer.status >= 400 for answer in asked)  # 304 would tell that there is one
    assert not any(order_id in answer.body for answer in fuzzed.answers if answer.status < 400)
    assert fuzzed.shop.stored(order_id) == fuzzed.orders[order_id]


def test_nothing_private_is_in_an_answer_or_in_a_log(fuzzed: Fuzzed) -> None:
    said = fuzzed.stack.said()
    for private in (PRIVATE_EMAIL, PRIVATE_REFERENCE, fuzzed.token):
        assert private not in said
        assert not any(private in answer.body for answer in fuzzed.answers)


def test_the_orders_are_still_good_ones(fuzzed: Fuzzed) -> None:
    for order_id in fuzzed.orders:
        fuzzed.shop.stored(order_id)
