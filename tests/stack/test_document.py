"""docs/openapi.yaml and docs/schemas are what they say they are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from tests.support import documents
from tests.support.openapi import ApiDocument
from tests.support.schemas import ROOT, assert_valid, fault, openapi_document, plain, schema


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
        (method, path): document["paths"][path][method.lower()].get("security", document["security"]) != []
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


def test_unknown_attributes_of_an_order_are_allowed() -> None:
    assert_valid("order", documents.order("1", "c", "default", gift_message="Hello", loyalty={"points": 3}))


@pytest.mark.parametrize(
    "attributes",
    [
        {"items": [documents.row(amount=10.5)]},
        {"total": "200"},
        {"currency": "kr"},
        {"items": [{"sku": "a", "name": "b"}]},
        {"payments": [{"payment_id": "p1"}]},
        {"placed_at": "yesterday"},
    ],
)
def test_a_damaged_order_is_not_a_valid_one(attributes: dict[str, Any]) -> None:
    assert fault(schema("order"), plain(documents.order("1", "c", "default", **attributes)))


@pytest.mark.parametrize(
    ("item", "valid"),
    [
        ({"scope": "default", "enabled": True, "reasons": documents.REASONS}, True),
        ({"scope": "default", "enabled": "Yes", "reasons": documents.REASONS}, True),
        ({"scope": "default", "enabled": "false"}, True),
        ({"scope": "store:se", "enabled": "TRUE"}, True),
        ({"scope": "store:se", "cancellable_statuses": ["pending", "payment_review"]}, True),
        ({"scope": "default"}, True),
        ({"scope": "default", "enabled": True}, False),
        ({"scope": "default", "enabled": "yes", "reasons": []}, False),
        ({"scope": "default", "enabled": "on"}, False),
        ({"scope": "default", "enabled": 1}, False),
        ({"scope": "default", "reasons": [{"code": " ", "description": "x"}]}, False),
        ({"scope": "default", "reasons": [{"code": "x", "description": ""}]}, False),
        ({"scope": "default", "reasons": [{"code": "x", "description": "x", "sort": 1}]}, False),
        ({"scope": "default", "cancellable_statuses": ["holded"]}, False),
        ({"scope": "default", "cancellable_statuses": "pending"}, False),
        ({"scope": "default", "enable": True}, False),
        ({"scope": "se"}, False),
    ],
)
def test_the_config_schema_tells_valid_from_invalid(item: dict[str, Any], valid: bool) -> None:
    assert (fault(schema("config"), item) is None) == valid
