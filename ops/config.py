"""The config table: show it, make the two most frequent edits as the console would, validate it.

  python -m ops config show                              every scope, and whether it is in force
  python -m ops config set-enabled no                    switch cancelling off for all stores that use `default`
  python -m ops config set-enabled yes --store se        switch one store on
  python -m ops config add-reason late "It comes too late" --before other --in sv="Den kommer för sent"
  python -m ops config validate                          check each scope (exit code 1: one is not in force)
  python -m ops config validate --file item.json         check an item, in the console's JSON form, before you save it

An edit writes one attribute and nothing else. It waits for the product's answer in `validation`: exit code 1 if that is
not `In force`, 4 if there is none within --wait seconds. From make: make config DO='show'
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables
from cancel_core.adapters.dynamodb.config_history import Configs, StoredScope
from cancel_core.domain.policy import DEFAULT_SCOPE, store_scope

from ops import config_edits, stacks
from ops.command import Command, add, subcommands
from ops.config_edits import Edit, Table, Verdict, verdict
from ops.faults import Exit
from ops.output import Out, as_json, printable
from ops.settlement import Refused

WAIT_SECONDS = 60.0
"""Edits are processed within seconds; after this time something is failing."""
CODES: Mapping[Verdict, Exit] = {
    "in force": Exit.DONE,
    "off alone": Exit.REFUSED,
    "not in force": Exit.REFUSED,
    "unanswered": Exit.UNANSWERED,
}
UNANSWERED = "the product has not answered yet"
_KINDS = frozenset({"S", "N", "BOOL", "NULL", "L", "M", "SS", "NS", "B", "BS"})


def _table(found: stacks.Stack) -> Table:
    names = ConfigTables(found.tables["config"], found.tables[stacks.HISTORY])
    return Table(found.dynamodb, names.config, Configs(found.dynamodb, names))


def _scopes(table: Table, asked: argparse.Namespace) -> Iterator[StoredScope]:
    """The requested item; without one, all of them, `default` first."""
    if asked.store is None:
        if (default := table.read(DEFAULT_SCOPE)).item is not None:
            yield default
        yield from sorted(table.configs.stores(), key=lambda store: store.scope)
        return
    scope = store_scope(asked.store)
    read = table.read(scope)
    if read.item is None:
        raise Refused(f"There is no item {scope}: that store goes by default's settings.")
    yield read


def show(table: Table, out: Out, asked: argparse.Namespace) -> Exit:
    """The settings of each scope, and the product's `validation` of them."""
    scopes = list(_scopes(table, asked))
    out.facts(scopes=[_facts(read) for read in scopes])
    for read in () if out.as_json else scopes:
        out.say(f"{printable(read.scope)}: {printable(read.validation or UNANSWERED)}")
        settings = read.settings.document if read.settings else {}
        for name, value in sorted(settings.items()):
            shown = _reasons(value) if name == "reasons" else [_value(value)]
            for position, text in enumerate(shown):
                out.say(f"  {'' if position else printable(name):21} {printable(text)}")
    if not scopes:
        out.say("There is no item: cancelling is off.")
    return Exit.DONE


def _facts(read: StoredScope) -> dict[str, Any]:
    return {
        "scope": read.scope,
        "settings": read.settings.document if read.settings else {},
        "validation": read.validation,
        "verdict": verdict(read.validation),
        "right_since": read.row.good.since or None,
    }


def _reasons(value: object) -> list[str]:
    try:
        return [f"{one['code']}: {one['description']}{_languages(one)}" for one in value]  # type: ignore[attr-defined]  # whatever an admin has typed in: what is no list is caught
    except (TypeError, KeyError, AttributeError):
        return [_value(value)]


def _languages(reason: Mapping[str, Any]) -> str:
    more = reason.get("descriptions") or {}
    return f" ({', '.join(f'{language}: {text}' for language, text in sorted(more.items()))})" if more else ""


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else " ".join(as_json(value).split())


def edit(table: Table, out: Out, asked: argparse.Namespace, make: Callable[[], Edit]) -> Exit:
    """Writes an edit, waits for the product's answer, and prints it."""
    for _ in range(config_edits.MAX_ATTEMPTS):
        made = make()
        scope = made.read.scope
        if asked.dry_run:
            told = config_edits.foretold(table, scope, made.document, is_new=made.read.item is None)
            out.say(f"{scope}: nothing was written. It would be: {told.text}")
            return CODES[verdict(told.text)]
        if made.is_none:
            out.say(f"{scope}: it is so already, nothing was written.")
            return _told(out, asked, made, made.read.validation)
        if config_edits.write(table, made):
            return _told(out, asked, made, config_edits.answer(table, made, asked.wait))
    raise Refused("The item kept changing, nothing was written. Repeat the command in a minute.")


def _told(out: Out, asked: argparse.Namespace, made: Edit, validation: str | None) -> Exit:
    scope, meant = made.read.scope, verdict(validation)
    out.facts(scope=scope, validation=validation, verdict=meant)
    if meant == "unanswered":
        out.say(
            f"{scope}: written, and {UNANSWERED} ({asked.wait:g} s). See `config show` later; "
            'docs/operating.md, "ConfigDeadLetterAlarm", says what may keep it.'
        )
        return Exit.UNANSWERED
    out.say(f"{scope}: {printable(validation or '')}")
    # Disabling takes effect whatever else is wrong with the item, and was all that was requested.
    is_off = meant == "off alone" and (made.attribute, made.value) == ("enabled", {"BOOL": False})
    return Exit.DONE if is_off else CODES[meant]


def validate(table: Table, out: Out, asked: argparse.Namespace) -> Exit:
    """Whether each scope is in force, according to the product's answer and to the rules of this checkout."""
    if asked.file is not None:
        return _validate_file(table, out, asked)
    worst, checked = Exit.DONE, []
    for read in _scopes(table, asked):
        assert read.settings is not None, "a scope is found by its item"
        told = config_edits.foretold(table, read.scope, read.settings.document, is_new=False)
        meant = verdict(read.validation)
        out.say(f"{printable(read.scope)}: {printable(read.validation or UNANSWERED)}")
        if told.problems and meant in {"in force", "unanswered"}:
            out.say(f"{printable(read.scope)}: by the rules of this checkout: {printable(told.text)}")
            meant = "not in force"
        checked.append({"scope": read.scope, "validation": read.validation, "verdict": meant})
        # Refused is worse than unanswered.
        worst = Exit.REFUSED if Exit.REFUSED in {worst, CODES[meant]} else max(worst, CODES[meant])
    out.facts(scopes=checked)
    return worst


def _validate_file(table: Table, out: Out, asked: argparse.Namespace) -> Exit:
    document = read_item(sys.stdin.read() if str(asked.file) == "-" else asked.file.read_text("utf-8"))
    named = document.pop("scope", None)
    scope = store_scope(asked.store) if asked.store is not None else named or DEFAULT_SCOPE
    if not isinstance(scope, str) or named not in {None, scope}:
        raise Refused(f"The file's item has the scope {named}, not {scope}.")
    document.pop("validation", None)
    told = config_edits.foretold(table, scope, document, is_new=table.read(scope).item is None)
    out.facts(scope=scope, validation=told.text, verdict=verdict(told.text))
    out.say(f"{scope}: nothing was written. It would be: {told.text}")
    return CODES[verdict(told.text)]


def read_item(text: str) -> dict[str, Any]:
    """An item in plain values, from DynamoDB's JSON (as the console has it) or from plain JSON. Raises `Refused`."""
    try:
        item = json.loads(text, parse_float=Decimal, parse_int=Decimal)
        values = list(item.values())
        is_raw = values and all(isinstance(one, dict) and len(one) == 1 and one.keys() <= _KINDS for one in values)
        return plain(item) if is_raw else dict(item)
    except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise Refused(f"The file has no item, neither as the console shows it nor as plain JSON: {error}") from error


def _words(text: str) -> tuple[str, str]:
    language, equals, words = text.partition("=")
    if not equals or not language:
        raise argparse.ArgumentTypeError(f"{text!r} is not LANGUAGE=WORDS")
    return language, words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = subcommands(parser)
    made = {
        "show": add(commands, "show", "every scope, and whether it is in force"),
        "set-enabled": add(commands, "set-enabled", "switch cancelling on or off"),
        "add-reason": add(commands, "add-reason", "add a reason that customers can choose"),
        "validate": add(commands, "validate", "check each scope, or an item in a file"),
    }
    for name, command in made.items():
        what = (
            "only this store" if name in {"show", "validate"} else "only for this store (default: the scope `default`)"
        )
        command.add_argument("--store", metavar="STORE_ID", help=what)
    for command in (made["set-enabled"], made["add-reason"]):
        command.add_argument(
            "--dry-run", action="store_true", help="write nothing, and show the answer that the edit would get"
        )
        command.add_argument(
            "--wait",
            type=float,
            default=WAIT_SECONDS,
            metavar="SECONDS",
            help="wait this long for the answer (default: %(default)g)",
        )
    made["set-enabled"].add_argument("on", choices=("yes", "no"), help="whether orders can be cancelled")
    made["set-enabled"].add_argument("--create", action="store_true", help="create the item if there is none")
    made["add-reason"].add_argument("code", metavar="CODE", help="the code that clients send; it never changes")
    made["add-reason"].add_argument("description", metavar="WORDS", help="the text that customers read")
    made["add-reason"].add_argument(
        "--before", metavar="CODE", help="insert it before this reason (default: at the end)"
    )
    made["add-reason"].add_argument(
        "--in",
        dest="languages",
        action="append",
        type=_words,
        default=[],
        metavar="LANGUAGE=WORDS",
        help="the text in another language; may be repeated",
    )
    made["validate"].add_argument("--file", type=Path, help="an item in the console's JSON form (-: standard input)")


def run(asked: argparse.Namespace, out: Out) -> int:
    table = _table(stacks.opened(asked))
    scope = DEFAULT_SCOPE if asked.store is None else store_scope(asked.store)
    match asked.command:
        case "show":
            return show(table, out, asked)
        case "validate":
            return validate(table, out, asked)
        case "set-enabled":
            on = asked.on == "yes"
            return edit(table, out, asked, lambda: config_edits.switched(table, scope, on=on, create=asked.create))
    reason = {"code": asked.code, "description": asked.description}
    languages = {"descriptions": dict(asked.languages)} if asked.languages else {}
    made: dict[str, Any] = reason | languages
    return edit(table, out, asked, lambda: config_edits.with_reason(table, scope, made, asked.before))


COMMAND = Command("config", "the settings of the config table", __doc__, add_arguments, run)
