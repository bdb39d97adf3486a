"""The shell as a whole: where its options may stand, what it says when AWS does not let it in, and its exit codes."""

from __future__ import annotations

import argparse
import http.server
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from cancel_core.adapters.dynamodb.database import database_errors
from cancel_core.domain.times import iso
from cancel_core.errors import ServiceUnavailable

from ops import stacks
from ops.__main__ import COMMANDS, main, parser, words
from ops.faults import Exit, explained
from ops.output import Line, Out, age, money
from ops.progress import tracked
from tests.support.machine import ROOT

Said = pytest.CaptureFixture[str]
LIST = ("refunds", "list")


def asked(*arguments: str) -> argparse.Namespace:
    return parser().parse_args(arguments, argparse.Namespace(**stacks.DEFAULTS))


def plain_environment(**more: str) -> dict[str, str]:
    """Of somebody who has set up nothing for AWS."""
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **nothing, **more}


def typed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=ROOT,
        env=plain_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


# --- errors in one line ----------------------------------------------------------------------------------------------


def test_without_a_region_one_line_says_what_to_do() -> None:
    done = typed(*LIST)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (Exit.AWS, "", 1), done.stderr
    assert "No AWS region is set: use --region or set AWS_REGION, or use --local" in done.stderr


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in plain_environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "eu-north-1"), "No AWS credentials were found: sign in"),
        (
            ("--profile", "no-such"),
            "The config profile (no-such) could not be found: see `aws configure list-profiles`",
        ),
        (("--url", "http://127.0.0.1:9"), "No local stack answers at http://127.0.0.1:9: start it with `make run`."),
    ],
)
def test_what_keeps_it_out_is_said_in_one_line(options: tuple[str, ...], said: str, capsys: Said) -> None:
    assert main([*LIST, *options]) == Exit.AWS
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("nobody")
def test_the_region_is_taken_from_the_environment_as_the_aws_cli_does(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert main(LIST) == Exit.AWS
    assert "No AWS credentials" in capsys.readouterr().err


def answered(code: str, message: str = "words\nof AWS") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "ListStackResources")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answered("ExpiredToken"), "The AWS session has expired. Sign in again (`aws sso login`)"),
        (exceptions.UnauthorizedSSOTokenError(), "The AWS session has expired or can't be used ("),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="expired"), "The AWS session has expired"),
        (answered("InvalidClientTokenId"), "AWS does not know these credentials (InvalidClientTokenId): sign in"),
        (answered("AccessDeniedException"), "You lack a right that this command needs: words of AWS"),
        (answered("SomethingElse"), "AWS refused ListStackResources: SomethingElse: words of AWS"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "AWS can't be reached: Could not connect"),
    ],
)
def test_what_aws_answers_is_said_in_one_line(error: Exception, said: str) -> None:
    # The adapters take an error that passes by itself for one of the service.
    for around in (nullcontext, database_errors):
        with pytest.raises((ClientError, BotoCoreError, ServiceUnavailable)) as raised, around():
            raise error
        told = explained(raised.value)
        assert told
        assert told[0].startswith(said)
        assert "\n" not in told[0]
        assert told[1] == Exit.AWS


def test_a_defect_is_not_hidden() -> None:
    assert explained(KeyError("status")) is None
    assert explained(FileNotFoundError(2, "No such file", "x.json")) == ("[Errno 2] No such file: 'x.json'", 1)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (503, b"", "is starting: repeat the command in a moment"),
        (404, b"", "is no local stack (HTTP 404)"),
        (200, b"<html>", "is no local stack. "),
        (200, b"[]", "is no local stack. "),
    ],
)
def test_what_is_no_local_stack_is_said_to_be(status: int, body: bytes, said: str, capsys: Said) -> None:
    with answering(status, body) as url:
        assert main([*LIST, "--url", url]) == Exit.AWS
    assert said in capsys.readouterr().err


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_options_may_stand_before_and_after_the_command() -> None:
    for line in (("refunds", "--local", "list"), ("refunds", "list", "--local"), ("mails", "list", "--local")):
        assert (asked(*line).local, asked(*line).stack, asked(*line).command) == (True, "cancel-core", "list")
    assert asked("refunds", "--stack", "one", "show", "x").stack == "one"
    assert asked("config", "show", "--stack", "two").stack == "two"


@pytest.mark.parametrize(
    ("options", "port", "url"),
    [
        (("--local",), "", "http://127.0.0.1:3000"),
        (("--local",), "3100", "http://127.0.0.1:3100"),
        (("--url", "http://127.0.0.1:4000"), "", "http://127.0.0.1:4000"),
        ((), "3100", None),
    ],
)
def test_the_local_stack_is_the_one_of_make_run_unless_said_otherwise(
    options: tuple[str, ...], port: str, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", port)
    opened: list[str | None] = []
    monkeypatch.setattr(stacks, "local", opened.append)
    monkeypatch.setattr(stacks, "deployed", lambda *_: opened.append(None))
    stacks.opened(asked(*LIST, *options))
    assert opened == [url]


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_each_command_has_help_with_examples(name: str, capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == Exit.DONE
    said = capsys.readouterr().out
    assert f"python -m ops {name}" in said
    assert ("--local" in said) is (name != "deploy")


def test_each_argument_says_what_it_is() -> None:
    def parsers(one: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
        yield one
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                for sub in action.choices.values():
                    yield from parsers(sub)

    unsaid = [
        f"{one.prog}: {action.metavar or action.dest}"
        for one in parsers(parser())
        for action in one._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert unsaid == []


@pytest.mark.parametrize("arguments", [(), ("refunds",), ("config", "set-enabled", "maybe"), ("--typed", "x 'y")])
def test_a_wrong_command_line_is_a_code_of_its_own(arguments: tuple[str, ...], capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == Exit.USAGE
    assert "error: " in capsys.readouterr().err


def test_what_is_typed_into_make_is_taken_apart_and_its_dollars_stay() -> None:
    line = """settle ref_1 --why "gave $50 back, it's `done`" '' x"""
    assert list(words(["refunds", "--typed", line, "--by", "$me"])) == [
        *("refunds", "settle", "ref_1", "--why", "gave $50 back, it's `done`", "", "x", "--by", "$me"),
    ]


def test_make_hands_over_every_character(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("""#!/bin/sh\nprintf '%s\\n' "$@"\n""")
    program.chmod(0o755)
    why, line = """5 $ and $50, $(shell id), "it's" `done`""", 'settle ref_1 --by "$me" --local'
    done = subprocess.run(
        [
            *("make", "-s", "-o", "requirements/run.txt", f"VENV={sys.prefix}", f"OPS={program}"),
            *("refunds", f"DO={line}", f"WHY={why}"),
        ],
        cwd=ROOT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["refunds", "--stack", "cancel-core", "--typed", line, "--why", why]


def test_a_reader_that_has_enough_is_no_error() -> None:
    line = f"{sys.executable} -m ops --help | true"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=plain_environment(), capture_output=True, check=True)
    assert done.stderr == b""


def test_the_exit_codes_are_those_of_the_runbook() -> None:
    runbook = (ROOT / "docs" / "operating.md").read_text("utf-8")
    written = re.findall(r"^\| (\d+) \| [^|]+ \|$", runbook, re.MULTILINE)
    assert [int(code) for code in written] == [*Exit]


# --- how it answers --------------------------------------------------------------------------------------------------


def test_ages_and_amounts_are_a_persons() -> None:
    now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    ages = {
        timedelta(seconds=9): "9 s",
        timedelta(minutes=3): "3 min",
        timedelta(hours=47): "1 d",
        -timedelta(1): "0 s",
    }
    assert {past: age(iso(now - past), now) for past in ages} == ages
    assert [age(since, now) for since in (None, "", "yesterday")] == ["", "", ""]
    assert [money(20000, "SEK"), money(1234567, "JPY")] == ["200.00 SEK", "1,234,567 JPY"]
    assert [money(5, None), money(None, "SEK")] == ["5 minor units", ""]


def test_a_table_has_a_heading_and_no_commands_for_a_terminal(capsys: Said) -> None:
    lines = [Line(("a", "10", ""), {"id": "a"}, ("why\x1b[2J", "")), Line(("bcd", "5", "x"), {"id": "bcd"})]
    Out(as_json=False).table("things", ("ID", "AGE", "NEXT"), lines, numbers=("AGE",))
    assert capsys.readouterr().out.splitlines() == [
        "ID   AGE  NEXT",
        "a     10  -",
        "    why\ufffd[2J",
        "bcd    5  x",
    ]


def test_json_is_one_document(capsys: Said) -> None:
    out = Out(as_json=True)
    out.table("things", ("ID",), [Line(("a",), {"id": "a"})])
    out.say("one thing")
    assert capsys.readouterr().out == ""
    out.close()
    assert json.loads(capsys.readouterr().out) == {"things": [{"id": "a"}], "messages": ["one thing"]}


def test_progress_is_shown_on_a_terminal_alone_and_on_standard_error(capsys: Said) -> None:
    assert list(tracked(range(3), "reading")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    program = "from ops.progress import tracked\nfor one in tracked(range(3), 'reading things', 3): pass\nprint('done')"
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "reading things" in shown
    assert "3/3" in shown or "100%" in shown
    assert done.stdout == "done\n"
