"""What `make check` scans for is found: secrets, and holes of dependencies, in a feed of the tests' own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.aws.ports import free_port
from local.server import Handler, Server
from tests.support.machine import ROOT

LOCK = "layers/cancel_core/requirements.txt"
# Put together here, so that the scan does not find them in this file.
PLANTED = {
    "a key of Stripe's": 'key = "sk_' + "live_" + '4eC39HqLyjWDarjtT1zdp7dc"',
    "a key of AWS's": 'AWS_ACCESS_KEY_ID = "AKIA' + 'IOSFODNN7QXZMPLE"',
    "a word to sign in by": "pass" + 'word = "correct-horse-battery-staple"',
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
}


def scan(*arguments: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.scan", *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("line", PLANTED.values(), ids=PLANTED.keys())
def test_a_secret_is_found(tmp_path: Path, line: str) -> None:
    scratch = tmp_path / "scratch.py"
    scratch.write_text(f'"""Nothing here."""\n{line}\n')
    code, said = scan("secrets", str(scratch))
    assert (code, f"{scratch}:2: this looks like a secret" in said) == (1, True), said


def test_what_is_no_secret_is_not(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch.py"
    scratch.write_text('"""Nothing here."""\nkey = "order_id"\n')
    assert scan("secrets", str(scratch), "template.yaml") == (0, "no secrets in 2 files\n")


class _Feed(Handler):
    """Answers as the OSV service does. `holed` is the package it knows a hole of."""

    holed = ""

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server gives it
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]
        fixed = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}]
        hole = {"id": "PYSEC-0000-1", "summary": "As tests go.", "affected": [{"package": asked, "ranges": fixed}]}
        self.answer(200, json.dumps({"vulns": [hole]} if asked["name"] == self.holed else {}).encode())


@contextmanager
def feed(holed: str = "") -> Iterator[tuple[str, ...]]:
    """Such a service; gives the options that point the scan at it."""
    with Server(0, type("_Bound", (_Feed,), {"holed": holed})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "--", "--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{server.port}"
        server.shutdown()


def test_a_hole_is_found() -> None:
    with feed(holed="pydantic") as service:
        code, said = scan("dependencies", LOCK, *service)
    assert code == 1
    assert re.fullmatch(r"pydantic \S+: PYSEC-0000-1, fixed in 99.0: As tests go.\n", said)


def test_where_there_is_none_it_says_so() -> None:
    with feed() as service:
        code, said = scan("dependencies", LOCK, *service)
    assert (code, re.sub(r"\d+", "N", said)) == (0, "no known holes in N packages\n")


def test_a_service_that_is_away_is_no_finding_and_no_all_clear() -> None:
    away = f"--osv-url=http://127.0.0.1:{free_port()}"
    code, said = scan("dependencies", LOCK, "--", "--vulnerability-service=osv", away)
    reason = "the service that knows them can't be reached"
    assert (code, said) == (0, f"not done: known holes of dependencies ({reason})\n")


def test_a_lock_without_hashes_is_an_error(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("pydantic==2.0\n")
    assert scan("dependencies", str(lock))[0] == 2
