"""The shell against the running stack: an admin's edits, and what the product's own validator answers to them."""

from __future__ import annotations

import json

import pytest

from ops.__main__ import main as shell
from ops.faults import Exit
from tests.stack.test_config import reasons
from tests.support import documents
from tests.support.shop import Shop

Said = pytest.CaptureFixture[str]


def config(shop: Shop, *arguments: str) -> int:
    return shell(["config", *arguments, "--store", shop.store_id, "--url", shop.endpoint])


def test_edits_are_in_force_or_refused_by_the_validator_itself(shop: Shop, capsys: Said) -> None:
    shop.configure_exactly(enabled=False, reasons=documents.REASONS, mail={"customer": False})
    shop.accepted()
    assert config(shop, "set-enabled", "yes") == Exit.DONE
    assert f"{shop.scope}: In force since " in capsys.readouterr().out
    assert (
        config(shop, "add-reason", "late", "It comes too late", "--before", documents.REASONS[0]["code"]) == Exit.DONE
    )
    assert [reason["code"] for reason in reasons(shop)["reasons"]] == [
        "late",
        *(reason["code"] for reason in documents.REASONS),
    ]
    right = shop.aws.config_item(shop.scope)
    assert right
    assert right["mail"] == {"customer": False}

    assert config(shop, "add-reason", "blank", "", "--json") == Exit.REFUSED
    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert told["verdict"] == "not in force"
    assert "has no description; give it one. The version of " in told["validation"]
    assert config(shop, "validate") == Exit.REFUSED
    # Customers have what was right before; off is off all the same.
    assert reasons(shop)["enabled"]
    assert config(shop, "set-enabled", "no") == Exit.DONE
    assert "Off is in force; the rest is NOT" in capsys.readouterr().out
    assert not reasons(shop)["enabled"]
    shop.aws.config.put_item(Item=right)
    shop.accepted()
    assert config(shop, "validate") == Exit.DONE


def test_every_scope_is_shown(shop: Shop, capsys: Said) -> None:
    shop.accepted()
    assert shell(["config", "show", "--json", "--url", shop.endpoint]) == Exit.DONE
    shown = {one["scope"]: one for one in json.loads(capsys.readouterr().out)["scopes"]}
    assert next(iter(shown)) == "default"
    assert shown[shop.scope]["verdict"] == "in force"
    assert shown[shop.scope]["settings"]["reasons"] == documents.REASONS
