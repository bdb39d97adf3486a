"""The examples of docs/clients.md that this machine can run do what the guide says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.server import Handler, Server
from tests.support import documents
from tests.support.machine import ROOT, need
from tests.support.shop import Shop, token_of

KEY = "key-of-the-guide"


def example(language: str) -> str:
    guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"<!-- tested -->\n```{language}\n(.*?)```", guide, re.DOTALL)
    assert isinstance(found, str)
    return found


class Middle(Server):
    """Stands before the API. Of the first `lost` cancels the answer is lost; `asked` are their keys."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.lost = endpoint, 0
        self.asked: list[str] = []
        super().__init__(0, type("_Bound", (_Pass,), {"middle": self}))


class _Pass(Handler):
    middle: Middle

    def do_POST(self) -> None:  # noqa: N802  # the standard library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.middle.asked.append(self.headers["Idempotency-Key"])
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type", "Idempotency-Key")}
        answer = httpx.post(self.middle.endpoint + self.path, content=body, headers=headers, trust_env=False)
        self.close_connection = True
        if self.middle.lost:
            self.middle.lost -= 1
            return
        kept = [(name, answer.headers[name]) for name in ("content-type", "retry-after") if name in answer.headers]
        self.answer(answer.status_code, answer.content, kept)


@pytest.fixture
def middle(shop: Shop) -> Iterator[Middle]:
    server = Middle(shop.endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def by_curl(shop: Shop, middle: Middle, order_id: str) -> str:
    need(shutil.which("curl"), "curl is not installed.")
    names = {"API": f"http://127.0.0.1:{middle.port}", "ORDER": order_id, "KEY": KEY}
    names["TOKEN"] = token_of(shop.endpoint, shop.customer_id)
    return _run(["sh", "-c", example("sh")], names)


def by_javascript(shop: Shop, middle: Middle, order_id: str, folder: Path) -> str:
    need(shutil.which("node"), "node is not installed.")
    (folder / "guide.mjs").write_text(example("js"), encoding="utf-8")
    given = [f"http://127.0.0.1:{middle.port}", token_of(shop.endpoint, shop.customer_id), order_id]
    (folder / "main.mjs").write_text(
        'import { cancelOrder } from "./guide.mjs";\n'
        f'try {{ console.log(JSON.stringify(await cancelOrder(...{json.dumps(given)}, {{reason: "no_longer_needed"}}, '
        f"{json.dumps(KEY)}))); }}\n"
        "catch ({ code, status, order }) { console.log(JSON.stringify({ code, status, order })); }\n",
        encoding="utf-8",
    )
    return _run(["node", str(folder / "main.mjs")], {})


def _run(command: list[str], names: dict[str, str]) -> str:
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    done = subprocess.run(command, env=environment | names, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", ["sh", "js"])
def test_the_example_cancels_once_though_an_answer_is_lost(
    shop: Shop, middle: Middle, tmp_path: Path, language: str
) -> None:
    order_id = shop.put(**documents.paid())
    middle.lost = 1
    said = by_curl(shop, middle, order_id) if language == "sh" else by_javascript(shop, middle, order_id, tmp_path)
    answer = json.loads(said)
    assert answer["cancellation"]["cancellation_id"] == shop.cancellation(order_id)["cancellation_id"]
    assert middle.asked == [KEY, KEY]


@pytest.mark.parametrize("language", ["sh", "js"])
def test_a_refusal_is_not_repeated(shop: Shop, middle: Middle, tmp_path: Path, language: str) -> None:
    order_id = shop.put(status="complete")
    said = by_curl(shop, middle, order_id) if language == "sh" else by_javascript(shop, middle, order_id, tmp_path)
    refusal = json.loads(said)
    assert (refusal["status"], refusal["code"]) == (409, "INVALID_ORDER_STATUS")
    assert refusal["order"]["status"] == "complete"
    assert middle.asked == [KEY]


@pytest.mark.parametrize("language", ["sh", "js"])
def test_what_is_too_much_for_today_is_not_waited_for(
    shop: Shop, middle: Middle, tmp_path: Path, language: str
) -> None:
    shop.configure(max_cancels_per_day=1)
    shop.canceled(shop.put())
    order_id = shop.put()
    said = by_curl(shop, middle, order_id) if language == "sh" else by_javascript(shop, middle, order_id, tmp_path)
    refusal = json.loads(said)
    assert (refusal["status"], refusal["code"]) == (429, "TOO_MANY_CANCELLATIONS")
    assert refusal["order"]["available_actions"] == ["CANCEL"]
    assert middle.asked == [KEY]


def test_the_guide_explains_every_code_of_a_cancel() -> None:
    document = (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"ProblemCode:\n(?:\s+[a-z]+: .*\n)*\s+x-extensible-enum:\n((?:\s+- [A-Z_]+\n)+)", document)
    codes = set(re.findall(r"[A-Z_]+", listed)) - {"CANCELLATION_NOT_FOUND"}  # of a GET that the flow does without
    guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in guide.splitlines() if line.startswith("| "))
    assert len(codes) > 9
    assert not [code for code in codes if f"`{code}`" not in table]
