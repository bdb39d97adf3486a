"""docs/openapi.yaml and docs/schemas are what they say they are."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
import yaml
from cancel_core.domain.order import read_order
from cancel_core.errors import OrderUnreadable
from openapi_spec_validator import validate

from tests.support import documents
from tests.support.openapi import ApiDocument
from tests.support.schemas import (
    ROOT,
    assert_event,
    assert_valid,
    event_documents,
    event_schema,
    fault,
    openapi_document,
    plain,
    published_event_schema,
    schema,
    schema_document,
)


class _TemplateLoader(yaml.SafeLoader):
    """Reads a CloudFormation template; its functions (!Ref, !Sub ...) are of no interest here."""


def _ignore(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_TemplateLoader.add_multi_constructor("!", _ignore)


def _routes() -> dict[tuple[str, str], bool]:
    """(METHOD, path) of every route in the template, and whether it asks for a token."""
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _TemplateLoader)
    routes = {}
    for resource in template["Resources"].values():
        for event in (resource.get("Properties") or {}).get("Events", {}).values():
            if event["Type"] == "HttpApi":
                properties = event["Properties"]
                secured = properties.get("Auth", {}).get("Authorizer") != "NONE"
                routes[properties["Method"], properties["Path"]] = secured
    return routes


def test_it_is_a_valid_openapi_document() -> None:
    validate(openapi_document())


def test_its_operations_are_the_templates_routes() -> None:
    assert ApiDocument().operations() == _routes().keys()


def test_it_asks_for_a_token_where_the_template_does() -> None:
    document = openapi_document()
    asked = {
        # The gateway knows nothing of guests' tokens.
        (method, path): {"customer": []}
        in document["paths"][path][method.lower()].get("security", document["security"])
        for method, path in ApiDocument().operations()
    }
    assert asked == _routes()


def _examples() -> list[tuple[str, tuple[str, ...], Any]]:
    """(place, schema's place, value) of every example of a body."""
    document = openapi_document()
    found = []

    def walk(node: Any, place: tuple[str, ...]) -> None:
        if isinstance(node, dict):
            if "schema" in node and "examples" in node:
                for name, example in node["examples"].items():
                    value = (
                        document["components"]["examples"][example["$ref"].split("/")[-1]]
                        if "$ref" in example
                        else example
                    )
                    found.append(("/".join([*place, name]), (*place, "schema"), value["value"]))
            for name, inner in node.items():
                walk(inner, (*place, str(name)))

    walk(document, ())
    return found


@pytest.mark.parametrize(("place", "schema_place", "value"), _examples())
def test_its_examples_follow_its_schemas(place: str, schema_place: tuple[str, ...], value: Any) -> None:
    assert fault(ApiDocument().validator(*schema_place), value) is None, place


def _closed_objects(node: Any, place: str = "") -> list[str]:
    """Where a schema refuses fields that it does not name."""
    if isinstance(node, list):
        return [found for number, inner in enumerate(node) for found in _closed_objects(inner, f"{place}/{number}")]
    if not isinstance(node, dict):
        return []
    found = [place] if node.get("additionalProperties") is False else []
    return found + [inner for name in node for inner in _closed_objects(node[name], f"{place}/{name}")]


def test_what_we_send_and_write_is_open_for_fields_that_a_later_version_adds() -> None:
    bodies = {"/CancelRequest", "/GuestAccessRequest", "/GuestTokenRequest"}
    withdrawals = {"/WithdrawalItem", "/WithdrawalRequest", "/OrderWithdrawalRequest"}
    assert set(_closed_objects(openapi_document()["components"]["schemas"])) == bodies | withdrawals
    assert _closed_objects(schema_document("order")) == []
    assert _closed_objects(event_documents()) == []


def test_a_field_that_is_not_documented_is_noticed_by_these_tests_all_the_same() -> None:
    detail = {
        "schema_version": 1,
        "order_id": "1",
        "store_id": "default",
        "customer_id": "c",
        "cancellation_id": "can_" + "0" * 32,
        "reason": "other",
        "items": [],
        "refund": {"amount": 1, "currency": "SEK"},
        "surplus": 0,
        "occurred_at": "2026-11-22T22:09:49Z",
    }
    event = {"source": "cancel-core", "detail-type": "OrderCanceled", "detail": detail}
    assert_event(event)
    more = event | {"detail": detail | {"more": 1}}
    assert fault(published_event_schema("OrderCanceled"), more) is None
    assert fault(event_schema("OrderCanceled"), more)


def test_the_guides_events_follow_the_schema() -> None:
    guide = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    shown = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)]
    for event in shown:
        assert_event(event)
    # Those that are like OrderCanceled are not shown again.
    assert {event["detail-type"] for event in shown} == event_documents().keys() - {
        "OrderRefunded",
        "OrderRefundFailed",
    }


def test_the_events_of_an_order_differ_in_what_their_refund_and_surplus_are_alone() -> None:
    common = []
    for detail_type in ("OrderCanceled", "OrderRefunded", "OrderRefundFailed", "OrderPaymentSurplus"):
        parts: dict[str, Any] = dict(event_documents()[detail_type]["$defs"])
        detail = parts.pop(f"{detail_type}Detail")
        same = {name: one for name, one in detail["properties"].items() if name not in ("refund", "surplus")}
        common.append((parts, same, detail["required"]))
    assert all(one == common[0] for one in common)


def test_unknown_attributes_of_an_order_are_allowed() -> None:
    assert_valid("order", documents.order("1", "c", "default", gift_message="Hello", loyalty={"points": 3}))


DAMAGED: dict[str, dict[str, Any]] = {
    "a price with a fraction": {"items": [documents.row(amount=Decimal("10.5"))]},
    "a total in words": {"total": "200"},
    "a currency in lower case": {"currency": "sek"},
    "a currency of two letters": {"currency": "kr"},
    "an item without an id": {"items": [{"sku": "a", "name": "b"}]},
    "an item with an empty id": {"items": [documents.row("")]},
    "an item without a name": {"items": [{"item_id": "1", "sku": "a"}]},
    "a quantity in words": {"items": [documents.row(qty_ordered="2")]},
    "a fee with an empty id": {"fees": [{"fee_id": "", "name": "Gift wrap"}]},
    "a payment without a provider": {"payments": [{"payment_id": "p1"}]},
    "a payment with an empty id": {"payments": [documents.payment("")]},
    "a reference that is no text": {"payments": [documents.payment(reference=4711)]},
    "a time in words": {"placed_at": "yesterday"},
    "a time with an offset": {"placed_at": "2026-11-22T22:09:49+01:00"},
    "a time without seconds": {"placed_at": "2026-11-22T22:09Z"},
    "an empty status": {"status": ""},
    "an empty store": {"store_id": ""},
    "an empty customer": {"customer_id": ""},
    "an order_id with a slash": {"order_id": "a/b"},
    "an order_id with a space": {"order_id": "a b"},
    "an order_id that is too long": {"order_id": "a" * 256},
    "history without a time": {"history": [{"status": "pending", "comment": "Placed."}]},
}


def _order(attributes: dict[str, Any]) -> dict[str, Any]:
    return documents.order("1", "c", "default") | attributes


@pytest.mark.parametrize("attributes", DAMAGED.values(), ids=DAMAGED.keys())
def test_what_the_schema_refuses_the_product_does_not_read(attributes: dict[str, Any]) -> None:
    assert fault(schema("order"), plain(_order(attributes)))
    with pytest.raises(OrderUnreadable):
        read_order(_order(attributes))


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"items": [documents.row("1"), documents.row("1")]}, "two items have the same item_id"),
        ({"fees": [{"fee_id": "f", "name": "A"}, {"fee_id": "f", "name": "B"}]}, "two fees have the same fee_id"),
        ({"payments": [documents.payment(), documents.payment()]}, "two payments have the same payment_id"),
    ],
)
def test_two_rows_with_one_id_are_not_read(attributes: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderUnreadable, match=words):
        read_order(_order(attributes))


SOUND: dict[str, dict[str, Any]] = {
    "every letter of an order_id": {"order_id": "Az09._~-:@+=,!$*()"},
    "the longest order_id": {"order_id": "a" * 255},
    "milliseconds": {"placed_at": "2026-11-22T22:09:49.017Z"},
    "a discount line": {"items": [documents.row("1"), documents.row("2", amount=-500, amount_invoiced=-500)]},
    "a fractional quantity": {"items": [documents.row(qty_ordered=Decimal("1.5"))]},
    "a history entry that is not for the customer": {
        "history": [{"at": "2026-11-22T22:09:49Z", "status": "x", "comment": "y", "visible_to_customer": False}]
    },
}


@pytest.mark.parametrize("attributes", SOUND.values(), ids=SOUND.keys())
def test_what_the_schema_allows_the_product_reads(attributes: dict[str, Any]) -> None:
    document = _order(attributes)
    assert_valid("order", document)
    assert read_order(document).order_id == document["order_id"]


def described(descriptions: object) -> dict[str, Any]:
    """The config of a store with one reason, which has these `descriptions`."""
    reason = {"code": "other", "description": "Other", "descriptions": descriptions}
    return {"scope": "store:se", "reasons": [reason]}


@pytest.mark.parametrize(
    ("item", "valid"),
    [
        ({"scope": "default", "enabled": True, "reasons": documents.REASONS}, True),
        ({"scope": "default", "enabled": "Yes", "reasons": documents.REASONS}, True),
        ({"scope": "default", "enabled": "false"}, True),
        ({"scope": "store:se", "enabled": "TRUE"}, True),
        ({"scope": "store:se", "cancellable_statuses": ["pending", "payment_review"]}, True),
        ({"scope": "store:se", "refund_basis": "paid"}, True),
        ({"scope": "default", "refund_basis": "invoiced"}, True),
        ({"scope": "default", "guest_access": True}, True),
        ({"scope": "store:se", "guest_access": "No"}, True),
        ({"scope": "default", "guest_access": "on"}, False),
        ({"scope": "default", "guest_access": 1}, False),
        ({"scope": "default", "refund_basis": "Paid"}, False),
        ({"scope": "default", "refund_basis": ["paid"]}, False),
        ({"scope": "store:se", "max_cancels_per_day": 1}, True),
        ({"scope": "store:se", "max_cancels_per_day": 1000}, True),
        ({"scope": "store:se", "max_cancels_per_day": 0}, False),
        ({"scope": "store:se", "max_cancels_per_day": 1001}, False),
        ({"scope": "store:se", "max_cancels_per_day": "5"}, False),
        ({"scope": "default"}, True),
        ({"scope": "default", "enabled": True}, False),
        ({"scope": "default", "enabled": "yes", "reasons": []}, False),
        ({"scope": "default", "enabled": "on"}, False),
        ({"scope": "default", "enabled": 1}, False),
        ({"scope": "default", "reasons": [{"code": " ", "description": "x"}]}, False),
        ({"scope": "default", "reasons": [{"code": "x", "description": ""}]}, False),
        ({"scope": "default", "reasons": [{"code": "x", "description": "x", "sort": 1}]}, False),
        (described({"sv": "Annat", "de-AT": "Anderes"}), True),
        (described({}), True),
        (described({"sv": " "}), False),
        (described({"in Swedish": "Annat"}), False),
        (described(["Annat"]), False),
        ({"scope": "default", "cancellable_statuses": ["holded"]}, False),
        ({"scope": "default", "cancellable_statuses": "pending"}, False),
        ({"scope": "default", "enable": True}, False),
        ({"scope": "se"}, False),
    ],
)
def test_the_config_schema_tells_valid_from_invalid(item: dict[str, Any], valid: bool) -> None:
    assert (fault(schema("config"), item) is None) == valid
