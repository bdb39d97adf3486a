"""The curl commands of the README and the tutorial work as pasted, and answer what the pages say they answer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.support.schemas import ROOT
from tests.support.stack import Running

# A fenced block that is run stands under <!-- tested -->; what it prints, if shown, under <!-- its answer -->.
_BLOCK = re.compile(
    r"<!-- tested -->\n```sh\n(?P<run>.*?)```\n"
    r"(?:\s*(?:<details>[^\n]*\n)?\s*<!-- its answer -->\n```json\n(?P<answer>.*?)```)?",
    re.DOTALL,
)
_ADDRESS = "http://127.0.0.1:3000"
_BETWEEN = "-- next block --"
# On a busy machine the refund takes longer than the two seconds of the pages.
_SLEEP = """sleep() {
  for _ in $(seq 600); do
    curl -s "$API/orders/ORDER_ID/cancellation" -H "authorization: Bearer $TOKEN" | grep -q pending || return 0
    command sleep 0.1
  done
}
"""

# What is another each time: ids, times, tokens.
_CHANGING = [
    (re.compile(r"\b(can|ref|offline_leg|leg)_[0-9a-f]{32}"), r"\1_x"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-11-22T00:00:00Z"),
]


def _same(text: str) -> Any:
    for pattern, name in _CHANGING:
        text = pattern.sub(name, text)
    return json.loads(text)


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
# Both pages share a stack, so each cancels an order of its own.
@pytest.mark.parametrize(
    ("page", "order_id", "answers"), [("README.md", "demo-two-payments", 2), ("docs/tutorial.md", "demo-paid", 5)]
)
def test_the_commands_work_as_pasted(stack: Running, page: str, order_id: str, answers: int) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = [(match["run"], match["answer"]) for match in _BLOCK.finditer(text)]
    assert len(blocks) == text.count("<!-- tested -->")
    assert sum(answer is not None for _, answer in blocks) == text.count("<!-- its answer -->") == answers
    assert _ADDRESS in blocks[0][0]

    script = f"\necho; echo '{_BETWEEN}'\n".join(run for run, _ in blocks).replace(_ADDRESS, stack.endpoint)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _SLEEP.replace("ORDER_ID", order_id) + script],
        cwd=ROOT,
        env=os.environ | {"no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(_BETWEEN)
    for (run, answer), output in zip(blocks, printed, strict=True):
        if answer is not None:
            assert _same(output) == _same(answer), run


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
