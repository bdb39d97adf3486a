"""The admin's edits from a shell, on a real engine: what is written, what stays, and what nobody answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.attributes import attribute_values, plain

from ops import config_edits, stacks
from ops.__main__ import main as shell
from ops.config import read_item
from ops.config_edits import verdict
from ops.faults import Exit
from ops.settlement import Refused
from tests.support.tables import Calls, Shop

Said = pytest.CaptureFixture[str]
SINCE = "In force since 2026-11-22T10:00:00Z."
# Of a console that writes words for a Boolean, and of a newer version.
ITEM: dict[str, Any] = {
    "enabled": "No",
    "mail": {"from": "a@example.com"},
    "newer": {"b": [1, "x"]},
    "validation": SINCE,
}


@pytest.fixture
def store(found: stacks.Stack, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A store with an item. Nothing is at the table's stream: what the product answers the tests write."""
    monkeypatch.setattr(config_edits, "LOOK_EVERY_SECONDS", 0.05)
    assert found.tables is shop.tables
    shop.configure(**ITEM)
    yield shop
    shop.client.delete_item(TableName=shop.tables["config"], Key={"scope": {"S": scope(shop)}})


def scope(shop: Shop) -> str:
    return f"store:{shop.store_id}"


def item(shop: Shop) -> dict[str, Any]:
    key = {"scope": {"S": scope(shop)}}
    found = shop.client.get_item(TableName=shop.tables["config"], Key=key, ConsistentRead=True)
    return plain(found.get("Item", {}))


def config(shop: Shop, *arguments: str, wait: str = "0") -> int:
    more = () if arguments[0] in {"show", "validate"} else ("--wait", wait)
    return shell(["config", *arguments, "--store", shop.store_id, *more])


def answers(shop: Shop, validation: str) -> None:
    """The product says this of the next edit, as soon as it is written."""
    calls = Calls(shop.client)

    def say() -> None:
        shop.client.update_item(
            TableName=shop.tables["config"],
            Key={"scope": {"S": scope(shop)}},
            UpdateExpression="SET validation = :text",
            ExpressionAttributeValues={":text": {"S": validation}},
        )

    # The first read is the edit's own, the second waits for the answer.
    calls.before("BatchGetItem", lambda: calls.before("BatchGetItem", say))


def test_one_attribute_is_written_and_all_else_stays(store: Shop, capsys: Said) -> None:
    before = item(store)
    answers(store, SINCE)
    assert config(store, "set-enabled", "yes", wait="5") == Exit.DONE
    assert capsys.readouterr().out == f"{scope(store)}: {SINCE}\n"
    assert item(store) == before | {"enabled": True}
    answers(store, SINCE)
    assert config(store, "add-reason", "late", "Too late", "--before", "mistake", "--in", "sv=För sent", wait="5") == 0
    late = {"code": "late", "description": "Too late", "descriptions": {"sv": "För sent"}}
    reasons = before["reasons"]
    assert item(store) == before | {"enabled": True, "reasons": [reasons[0], late, reasons[1]]}


def test_what_is_so_already_is_not_written(store: Shop, capsys: Said) -> None:
    store.configure(**ITEM | {"enabled": True})
    calls = Calls(store.client)
    assert config(store, "set-enabled", "yes") == Exit.DONE
    assert config(store, "add-reason", "other", "Other") == Exit.DONE
    assert "UpdateItem" not in calls.made
    assert capsys.readouterr().out.count(f"it is so already, nothing was written.\n{scope(store)}: {SINCE}") == 2


def test_what_the_product_refuses_is_an_error(store: Shop, capsys: Said) -> None:
    said = "NOT IN FORCE: scope: reason 3 has no description; give it one. The version before stays in force."
    answers(store, said)
    assert config(store, "add-reason", "late", "", wait="5") == Exit.REFUSED
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(("on", "code"), [("yes", Exit.REFUSED), ("no", Exit.DONE)])
def test_switching_off_is_done_whatever_else_is_wrong(store: Shop, on: str, code: Exit) -> None:
    answers(store, "Off is in force; the rest is NOT: scope: newer is no setting.")
    assert config(store, "set-enabled", on, wait="5") == code


def test_an_edit_that_nobody_answers_is_said_to_be_written(store: Shop, capsys: Said) -> None:
    assert config(store, "set-enabled", "yes", "--json", wait="0.1") == Exit.UNANSWERED
    told = json.loads(capsys.readouterr().out)
    # What stood there was about another edit.
    assert (told["validation"], told["verdict"]) == (None, "unanswered")
    assert "written, and the product has not answered yet" in told["messages"][0]
    assert item(store)["enabled"] is True
    assert "validation" not in item(store)


def test_what_somebody_else_writes_meanwhile_is_kept(store: Shop, capsys: Said) -> None:
    one = {"code": "theirs", "description": "Somebody else's"}
    reasons = [*item(store)["reasons"], one]
    calls = Calls(store.client)
    calls.before("UpdateItem", lambda: store.configure(**ITEM | {"reasons": reasons}))
    assert config(store, "add-reason", "late", "Too late") == Exit.UNANSWERED
    assert [reason["code"] for reason in item(store)["reasons"]] == ["other", "mistake", "theirs", "late"]
    # And what is written over the edit is not taken for it.
    calls.before("BatchGetItem", lambda: calls.before("BatchGetItem", lambda: store.configure(**ITEM)))
    assert config(store, "set-enabled", "yes") == Exit.REFUSED
    assert "was edited by somebody else just after this edit" in capsys.readouterr().err


def test_a_dry_run_says_what_would_be_said_and_writes_nothing(store: Shop, capsys: Said) -> None:
    store.configure(enabled=False, reasons=[])
    before = item(store)
    assert config(store, "set-enabled", "yes", "--dry-run") == Exit.REFUSED
    assert "nothing was written. It would be: NOT IN FORCE: " in capsys.readouterr().out
    assert config(store, "add-reason", "late", "Too late", "--dry-run") == Exit.DONE
    assert "It would be: In force." in capsys.readouterr().out
    assert item(store) == before


def test_what_cannot_be_meant_is_refused_and_written_nowhere(store: Shop, capsys: Said) -> None:
    before = item(store)
    for arguments, said in (
        (("add-reason", "other", "In other words"), "has a reason other already, in other words"),
        (("add-reason", "late", "Too late", "--before", "none"), "has no reason none; it has other, mistake"),
    ):
        assert config(store, *arguments) == Exit.REFUSED
        assert said in capsys.readouterr().err
    assert item(store) == before
    store.client.put_item(
        TableName=store.tables["config"], Item=attribute_values({"scope": scope(store), "enabled": True})
    )
    assert config(store, "add-reason", "late", "Too late") == Exit.REFUSED
    assert "has the reasons of default: one of its own would stand in place of them all" in capsys.readouterr().err


def test_a_store_gets_an_item_only_if_that_is_said(store: Shop, capsys: Said) -> None:
    store.client.delete_item(TableName=store.tables["config"], Key={"scope": {"S": scope(store)}})
    assert config(store, "set-enabled", "no") == Exit.REFUSED
    assert "goes by default's settings. With --create it is put there." in capsys.readouterr().err
    for arguments in (("show",), ("validate",), ("add-reason", "late", "Too late")):
        assert config(store, *arguments) == Exit.REFUSED
    assert item(store) == {}
    assert config(store, "set-enabled", "no", "--create") == Exit.UNANSWERED
    assert item(store) == {"scope": scope(store), "enabled": False}


def test_what_is_set_is_shown_with_what_is_said_of_it(store: Shop, capsys: Said) -> None:
    reasons = [{"code": "late", "description": "Too late", "descriptions": {"sv": "För sent\x1b"}}, {"code": "other"}]
    store.configure(**ITEM | {"reasons": reasons[:1], "refund_basis": "paid"})
    assert config(store, "show") == Exit.DONE
    assert capsys.readouterr().out.splitlines() == [
        f"{scope(store)}: {SINCE}",
        "  enabled               No",
        '  mail                  { "from": "a@example.com" }',
        '  newer                 { "b": [ 1, "x" ] }',
        "  reasons               late: Too late (sv: För sent\ufffd)",
        "  refund_basis          paid",
    ]
    # Also what is wrong is shown.
    store.configure(enabled=True, reasons=reasons)
    assert config(store, "show") == Exit.DONE
    assert "the product has not answered yet" in capsys.readouterr().out
    assert config(store, "show", "--json") == Exit.DONE
    (told,) = json.loads(capsys.readouterr().out)["scopes"]
    assert (told["settings"]["reasons"], told["verdict"]) == (reasons, "unanswered")


def test_validate_says_which_scope_is_not_in_force(store: Shop, capsys: Said) -> None:
    for attributes, code, said in (
        ({"validation": SINCE}, Exit.DONE, SINCE),
        ({"validation": "NOT IN FORCE: it."}, Exit.REFUSED, "NOT IN FORCE: it."),
        ({}, Exit.UNANSWERED, "the product has not answered yet"),
        # What the deployed version took, and this checkout does not.
        ({"validation": SINCE, "approval": "maybe"}, Exit.REFUSED, "by the rules of this checkout: NOT IN FORCE"),
    ):
        store.configure(**attributes)
        assert config(store, "validate") == code
        assert said in capsys.readouterr().out


def test_an_item_is_judged_before_it_is_saved(store: Shop, tmp_path: Path, capsys: Said) -> None:
    before, file = item(store), tmp_path / "item.json"
    right = {"enabled": True, "reasons": [{"code": "late", "description": "Too late"}], "cancel_within_minutes": 60}
    for document, code in (
        (right, Exit.DONE),
        (attribute_values(right | {"scope": scope(store), "validation": "old"}), Exit.DONE),
        (right | {"reasons": []}, Exit.REFUSED),
        (attribute_values(right | {"scope": "store:other"}), Exit.REFUSED),
    ):
        file.write_text(json.dumps(document, default=str), "utf-8")
        assert config(store, "validate", "--file", str(file)) == code, document
    assert config(store, "validate", "--file", str(tmp_path / "none.json")) == Exit.REFUSED
    said, error = capsys.readouterr()
    assert said.count("nothing was written. It would be: In force.") == 2
    assert "No such file" in error
    assert item(store) == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"enabled": {"N": "x"}}', "7"])
def test_a_file_that_has_no_item_is_said_to_have_none(text: str) -> None:
    with pytest.raises(Refused, match="The file has no item"):
        read_item(text)


@pytest.mark.parametrize(
    ("validation", "meant"),
    [
        (SINCE, "in force"),
        ("In force.", "in force"),
        (f"{SINCE} But no mail leaves: mail.from is missing.", "in force"),
        ("In force since 2026-11-22T10:00:00Z, but not for store:se, where the reasons stay: x.", "not in force"),
        ("In force with the reasons that default had before: x.", "not in force"),
        ("In force, and each cancel is a request, as with approval always: x.", "not in force"),
        ("NOT IN FORCE: x.", "not in force"),
        ("Off is in force; the rest is NOT: x.", "off alone"),
        ("", "unanswered"),
        (None, "unanswered"),
    ],
)
def test_each_answer_of_the_product_is_understood(validation: str | None, meant: str) -> None:
    assert verdict(validation) == meant
