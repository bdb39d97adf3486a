"""The routes of the API, and who may call them, as API Gateway is told."""

from __future__ import annotations

import re
from typing import Any

import pytest

Json = dict[str, Any]

ROUTES = {
    ("get", "/cancellation-reasons"): "ListReasonsFunction",
    ("get", "/orders"): "ListOrdersFunction",
    ("get", "/orders/{order_id}"): "GetOrderFunction",
    ("get", "/orders/{order_id}/cancellation-eligibility"): "CheckEligibilityFunction",
    ("post", "/orders/{order_id}/cancellation"): "CancelOrderFunction",
    ("get", "/orders/{order_id}/cancellation"): "GetCancellationFunction",
    ("delete", "/orders/{order_id}/cancellation-request"): "TakeBackRequestFunction",
    ("post", "/orders/{order_id}/withdrawal"): "WithdrawOrderFunction",
    ("post", "/withdrawals"): "SubmitWithdrawalFunction",
    ("post", "/guest-access"): "RequestGuestCodeFunction",
    ("post", "/guest-access/token"): "RedeemGuestCodeFunction",
    ("get", "/guest/order"): "GetOrderFunction",
    ("get", "/guest/order/cancellation-eligibility"): "CheckEligibilityFunction",
    ("post", "/guest/order/cancellation"): "CancelOrderFunction",
    ("get", "/guest/order/cancellation"): "GetCancellationFunction",
    ("delete", "/guest/order/cancellation-request"): "TakeBackRequestFunction",
}
GUESTS = {(method, path) for method, path in ROUTES if path.startswith("/guest/")}
"""Their functions ask for an access token themselves: the gateway knows nothing of it."""
OPEN = {("get", "/cancellation-reasons"), ("post", "/guest-access"), ("post", "/guest-access/token"), *GUESTS}
OPEN |= {("post", "/withdrawals")}


def _body(deployed: Json) -> Json:
    body: Json = deployed["Resources"]["HttpApi"]["Properties"]["Body"]
    return body


def _routes(deployed: Json) -> dict[tuple[str, str], Json]:
    return {
        (method, path): operation
        for path, operations in _body(deployed)["paths"].items()
        for method, operation in operations.items()
    }


def test_each_route_has_its_function_and_there_is_no_other(deployed: Json) -> None:
    called = {
        route: operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].split("${")[-1].split("Aliaslive}")[0]
        for route, operation in _routes(deployed).items()
    }
    assert called == ROUTES


def test_functions_get_the_payload_they_read(deployed: Json) -> None:
    versions = {
        operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] for operation in _routes(deployed).values()
    }
    assert versions == {"2.0"}


def test_only_the_reasons_and_what_guests_call_are_open(deployed: Json) -> None:
    signed_in = {route for route, operation in _routes(deployed).items() if "Jwt" in operation["security"][0]}
    assert signed_in == set(ROUTES) - OPEN


def test_the_authorizer_checks_issuer_and_audience(deployed: Json) -> None:
    schemes = _body(deployed)["components"]["securitySchemes"]
    assert list(schemes) == ["Jwt"]
    authorizer = schemes["Jwt"]["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "jwt"
    assert authorizer["identitySource"] == "$request.header.Authorization"
    pool = {"Fn::Sub": "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}"}
    assert authorizer["jwtConfiguration"] == {
        "issuer": {"Fn::If": ["CreatePool", pool, {"Ref": "JwtIssuer"}]},
        "audience": {
            "Fn::If": ["CreatePool", [{"Ref": "UserPoolClient"}], {"Fn::Split": [",", {"Ref": "JwtAudience"}]}]
        },
    }


def test_each_of_three_scopes_is_asked_for_only_when_it_was_given(deployed: Json) -> None:
    for route, operation in _routes(deployed).items():
        if route not in OPEN:
            first, second, third = operation["security"][0]["Jwt"]
            # Of the pool that is made: an ID token has neither of them.
            assert [one["Fn::If"][:2] for one in (first, second)] == [
                ["AskPoolScopes", "openid"],
                ["AskPoolScopes", "aws.cognito.signin.user.admin"],
            ]
            given = [first["Fn::If"][2], second["Fn::If"][2], third]
            assert [scope["Fn::If"][0] for scope in given] == ["AskScope1", "AskScope2", "AskScope3"]
            assert all(scope["Fn::If"][2] == {"Ref": "AWS::NoValue"} for scope in given)
    assert deployed["Conditions"]["AskPoolScopes"] == {
        "Fn::And": [{"Condition": "CreatePool"}, {"Fn::Equals": [{"Ref": "JwtScopes"}, ""]}]
    }


def test_browsers_may_call_and_read_what_the_clients_need(deployed: Json) -> None:
    cors = _body(deployed)["x-amazon-apigateway-cors"]
    first, second, third = cors["allowOrigins"]
    # The transform has put the parameter's value in; CloudFormation takes it apart.
    assert first == {"Fn::Select": [0, {"Fn::Split": [",", "*"]}]}
    assert [origin["Fn::If"][0] for origin in (second, third)] == ["AllowOrigin2", "AllowOrigin3"]
    assert all(origin["Fn::If"][2] == {"Ref": "AWS::NoValue"} for origin in (second, third))
    assert set(cors["allowMethods"]) == {method.upper() for method, _ in ROUTES}
    assert {"authorization", "content-type", "idempotency-key", "if-none-match"} <= set(cors["allowHeaders"])
    assert {"idempotency-replayed", "retry-after", "etag", "x-request-id"} <= set(cors["exposeHeaders"])


def test_the_api_is_throttled_by_parameters(deployed: Json) -> None:
    settings = deployed["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]["DefaultRouteSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottlingRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottlingBurstLimit"}


def test_the_access_log_holds_nothing_personal(deployed: Json) -> None:
    log = deployed["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]["AccessLogSettings"]["Format"]
    for personal in ("identity", "claims", "path", "rawQuery", "queryString", "userAgent", "authorizer.claims"):
        assert f"$context.{personal}" not in log


@pytest.mark.parametrize(
    ("parameter", "right", "wrong"),
    [
        (
            "JwtAudience",
            ["cancel-core", "a,b", "https://a.example/b,4711"],
            ["", "a, b", " a", "a ", "a,,b", "a,"],
        ),
        ("JwtScopes", ["", "a", "a,b,c"], ["a b", "a,b,c,d", "a, b"]),
        ("JwtIssuer", ["", "https://shop.eu.auth0.com/"], ["shop.eu.auth0.com", "http://x.example", "https://x "]),
    ],
)
def test_what_a_deployment_names_has_no_blanks(
    deployed: Json, parameter: str, right: list[str], wrong: list[str]
) -> None:
    pattern = re.compile(deployed["Parameters"][parameter]["AllowedPattern"])
    assert [text for text in right if not pattern.fullmatch(text)] == []
    assert [text for text in wrong if pattern.fullmatch(text)] == []
