from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pytest

from local.gateway.server import Gateway
from local.gateway.tokens import Issuer
from local.runtime.function import TooManyRequests
from local.template import Route

ROUTES = [
    Route("GET", "/open", "echo", False, ()),
    Route("GET", "/things", "echo", True, ()),
    Route("GET", "/things/{id}", "echo", True, ()),
    Route("GET", "/things/best", "best", False, ()),
    Route("POST", "/things/{id}/parts/{part}", "echo", False, ()),
    Route("GET", "/scoped", "echo", True, ("read", "all")),
    Route("GET", "/answers", "answer", False, ()),
]
CORS = {
    "AllowOrigins": ["https://shop.example"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["authorization"],
    "ExposeHeaders": ["etag"],
    "MaxAge": 60,
}
SHOP = {"Origin": "https://shop.example"}


class Functions:
    """What stands behind the routes: `echo` answers the event it got, `answer` what the test has put here."""

    answer: Any = None

    def __init__(self) -> None:
        self.called: list[str] = []

    def __call__(self, function: str, event: bytes) -> bytes | None:
        self.called.append(function)
        if function == "answer":
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer if isinstance(self.answer, bytes | None) else json.dumps(self.answer).encode()
        body = json.loads(event) | {"function": function}
        return json.dumps(
            {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
        ).encode()


@pytest.fixture(scope="module")
def functions() -> Functions:
    return Functions()


@pytest.fixture(scope="module")
def gateway(functions: Functions) -> Iterator[Gateway]:
    made = Gateway(0, ROUTES, CORS, Issuer("https://issuer.example", ["shop"]), functions)
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url) as made:
        yield made


def bearer(gateway: Gateway, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway.issuer.token('anna', **claims)}"}


def test_the_event_is_payload_format_2(client: httpx.Client, gateway: Gateway) -> None:
    answer = client.get(
        "/things/a%40b%20%C3%A5?x=1&x=2&y=%26",
        headers=[
            *bearer(gateway, email="a@example.com", roles=["a", "b"], vip=True).items(),
            ("X-One", "1"),
            ("X-One", "2"),
            ("Cookie", "a=b; c=d"),
        ],
    )
    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /things/{id}"
    assert event["pathParameters"] == {"id": "a@b å"}
    assert event["rawPath"] == "/things/a@b å"
    assert event["rawQueryString"] == "x=1&x=2&y=%26"
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["headers"]["x-one"] == "1,2"
    assert event["cookies"] == ["a=b", "c=d"]
    assert "body" not in event
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["requestId"] == answer.headers["apigw-requestid"]
    assert (context["stage"], context["http"]["method"], context["http"]["sourceIp"]) == (
        "$default",
        "GET",
        "127.0.0.1",
    )
    assert context["http"]["userAgent"].startswith("python-httpx")
    assert abs(context["timeEpoch"] / 1000 - time.time()) < 5
    claims = context["authorizer"]["jwt"]["claims"]
    assert (claims["sub"], claims["email"], claims["roles"], claims["vip"]) == (
        "anna",
        "a@example.com",
        "[a b]",
        "true",
    )
    assert claims["exp"].isdecimal()
    assert context["authorizer"]["jwt"]["scopes"] is None


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", b'{"a": "\xc3\xa5"}', True),
        ("application/json; charset=utf-8", b"{}", True),
        ("text/csv", b"a,b", True),
        ("application/json", b"\xff\xfe", False),
        ("application/x-www-form-urlencoded", b"a=b", False),
        ("application/octet-stream", b"\x00", False),
        ("", b"x", False),
    ],
)
def test_a_body_is_text_or_base64_as_its_type_says(
    client: httpx.Client, content_type: str, body: bytes, text: bool
) -> None:
    event = client.post("/things/1/parts/2", content=body, headers={"Content-Type": content_type}).json()
    assert event["pathParameters"] == {"id": "1", "part": "2"}
    assert event["isBase64Encoded"] is not text
    assert (event["body"].encode() if text else base64.b64decode(event["body"])) == body


def test_a_chunked_body_is_put_together(client: httpx.Client) -> None:
    event = client.post(
        "/things/1/parts/2", content=iter([b"ab", b"cd"]), headers={"Content-Type": "text/plain"}
    ).json()
    assert event["body"] == "abcd"


def test_the_most_literal_route_wins_and_the_rest_is_not_found(client: httpx.Client) -> None:
    assert client.get("/things/best").json()["function"] == "best"
    for method, path in [
        ("POST", "/"),
        ("GET", "/open/"),
        ("POST", "/open"),
        ("HEAD", "/open"),
        ("DELETE", "/open"),
        ("BREW", "/open"),
        ("GET", "/things//parts/2"),
    ]:
        answer = client.request(method, path)
        assert answer.status_code == 404
        assert method == "HEAD" or answer.json() == {"message": "Not Found"}
        assert answer.headers["apigw-requestid"]


def _foreign(gateway: Gateway) -> str:
    return Issuer(gateway.issuer.issuer, gateway.issuer.audience).token("anna")


def _unsigned() -> str:
    return jwt.encode({"iss": "https://issuer.example", "aud": "shop", "exp": time.time() + 60}, "", "none")


def test_a_token_that_does_not_hold_is_unauthorized(client: httpx.Client, gateway: Gateway) -> None:
    now = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"exp": now - 10},
        {"exp": None},
        {"nbf": now + 100},
        {"iat": now + 100},
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"aud": None},
    ]
    bad = [bearer(gateway, **claims)["Authorization"] for claims in wrong]
    bad += ["", "Bearer", "Bearer x.y.z", "Basic YTpi", f"Bearer {_foreign(gateway)}", f"Bearer {_unsigned()}"]
    bad += [bearer(gateway)["Authorization"][:-4] + "AAAA"]
    for headers in ({}, *({"Authorization": one} for one in bad)):
        answer = client.get("/things", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), headers
        assert answer.headers["www-authenticate"].startswith("Bearer")
    right: list[dict[str, Any]] = [{}, {"aud": ["x", "shop"]}, {"aud": None, "client_id": "shop"}]
    assert [client.get("/things", headers=bearer(gateway, **claims)).status_code for claims in right] == [200, 200, 200]


def test_a_route_with_scopes_asks_for_one_of_them(client: httpx.Client, gateway: Gateway) -> None:
    assert client.get("/scoped", headers=bearer(gateway)).json() == {"message": "Forbidden"}
    assert client.get("/scoped", headers=bearer(gateway, scope="write")).status_code == 403
    event = client.get("/scoped", headers=bearer(gateway, scope="write read")).json()
    assert event["requestContext"]["authorizer"]["jwt"]["scopes"] == ["read", "all"]


def test_cors(client: httpx.Client, functions: Functions) -> None:
    preflight = client.options("/things/1", headers={**SHOP, "Access-Control-Request-Method": "GET"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://shop.example"
    assert preflight.headers["access-control-allow-methods"] == "GET,POST"
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert preflight.headers["access-control-max-age"] == "60"
    functions.answer = {
        "statusCode": 200,
        "headers": {"Access-Control-Allow-Origin": "https://evil.example", "Vary": "accept-encoding"},
        "body": "",
    }
    for path, status in (("/answers", 200), ("/things", 401), ("/nowhere", 404)):
        answer = client.get(path, headers=SHOP)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-expose-headers"] == "etag"
        assert answer.headers["vary"] == ("accept-encoding, Origin" if path == "/answers" else "Origin")
    assert (
        "access-control-allow-origin" not in client.get("/answers", headers={"Origin": "https://evil.example"}).headers
    )
    assert "access-control-allow-origin" not in client.get("/answers").headers


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 418, "body": "å", "headers": {"X-A": "b"}, "cookies": ["a=b"]}, 418, "å".encode()),
        (
            {"statusCode": "201", "body": base64.b64encode(b"\x00\x01").decode(), "isBase64Encoded": True},
            201,
            b"\x00\x01",
        ),
        ({"statusCode": 304, "headers": {"etag": '"x"'}}, 304, b""),
        ({"hello": "å"}, 200, '{"hello":"å"}'.encode()),
        ("text", 200, b"text"),
        (b"null", 200, b"null"),
        (None, 500, b'{"message":"Internal Server Error"}'),
        (b"not json", 500, b'{"message":"Internal Server Error"}'),
        ({"statusCode": "many"}, 500, b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "body": {"a": 1}}, 500, b'{"message":"Internal Server Error"}'),
        ({"statusCode": 200, "headers": {"a": "b\r\nSet-Cookie: c"}}, 500, b'{"message":"Internal Server Error"}'),
        (TooManyRequests("x"), 503, b'{"message":"Service Unavailable"}'),
    ],
)
def test_what_a_function_returns_becomes_the_answer(
    client: httpx.Client, functions: Functions, result: Any, status: int, body: bytes
) -> None:
    functions.answer = result
    answer = client.get("/answers")
    assert (answer.status_code, answer.content) == (status, body)
    if status == 418:
        assert (answer.headers["x-a"], answer.headers["set-cookie"]) == ("b", "a=b")


# --- where API Gateway is less kind than a web server ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/things/a%2Fb", "/things/a%2fb%2Fc", "/things//parts/2", "//things/1", "/things/"])
def test_a_slash_is_a_slash_however_it_is_written(client: httpx.Client, gateway: Gateway, path: str) -> None:
    assert client.get(path, headers=bearer(gateway)).status_code == 404


def test_an_escaped_slash_may_lead_to_another_route(client: httpx.Client) -> None:
    assert client.post("/things/1%2Fparts%2F2").json()["pathParameters"] == {"id": "1", "part": "2"}


def test_a_path_is_cut_where_a_question_mark_was_escaped(client: httpx.Client, gateway: Gateway) -> None:
    event = client.get("/things/a%3Fb=c?d=e", headers=bearer(gateway)).json()
    assert (event["rawPath"], event["pathParameters"]) == ("/things/a", {"id": "a"})
    assert event["queryStringParameters"] == {"d": "e"}
    assert client.get("/things/best%3Fx").json()["function"] == "best"


def test_an_escaped_percent_is_decoded_once(client: httpx.Client, gateway: Gateway) -> None:
    event = client.get("/things/100%2525", headers=bearer(gateway)).json()
    assert (event["rawPath"], event["pathParameters"]) == ("/things/100%25", {"id": "100%25"})


@pytest.mark.parametrize("path", ["/things/a%", "/things/a%2", "/things/%zz", "/things/%ff", "/open%"])
def test_a_bad_escape_is_a_bad_request(gateway: Gateway, path: str) -> None:
    assert b" 400 " in _raw(gateway, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())


def test_a_claim_that_is_null_is_left_out(client: httpx.Client, gateway: Gateway) -> None:
    now = int(time.time())
    claims = {"iss": gateway.issuer.issuer, "aud": "shop", "exp": now + 60, "sub": None, "email": None, "vip": False}
    token = jwt.encode(claims, gateway.issuer._key, "RS256", headers={"kid": "local"})
    event = client.get("/things", headers={"Authorization": f"Bearer {token}"}).json()
    assert event["requestContext"]["authorizer"]["jwt"]["claims"].keys() == {"iss", "aud", "exp", "vip"}


def test_headers_over_ten_kilobytes_are_refused(client: httpx.Client) -> None:
    assert client.get("/open", headers={"x-long": "x" * 9000}).status_code == 200
    for answer in (client.get("/open", headers={"x-long": "x" * 10_241}), client.get(f"/open?{'x' * 10_241}")):
        assert (answer.status_code, answer.json()) == (431, {"message": "Request Header Fields Too Large"})


def test_an_event_or_an_answer_over_six_megabytes_is_refused(client: httpx.Client, functions: Functions) -> None:
    called = len(functions.called)
    headers = {"content-type": "text/plain"}
    large = client.post("/things/1/parts/2", content=b"x" * (6 * 1024 * 1024), headers=headers)
    # As base64 it is a third larger.
    binary = client.post("/things/1/parts/2", content=b"x" * (5 * 1024 * 1024))
    for answer in (large, binary):
        assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})
    assert len(functions.called) == called
    assert client.post("/things/1/parts/2", content=b"x" * (5 * 1024 * 1024), headers=headers).status_code == 200
    functions.answer = {"statusCode": 200, "body": "x" * (6 * 1024 * 1024)}
    assert client.get("/answers").status_code == 500


# --- what pages of web sites may do with a stack that runs ----------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "evil.example:3000", "127.0.0.1.evil.example", "", "[::2]"])
def test_another_name_for_this_machine_is_refused(client: httpx.Client, host: str) -> None:
    """A site whose DNS has its own name point here, so that its pages may read the answers."""
    for path in ("/open", "/", "/local/stack"):
        assert client.get(path, headers={"Host": host}).status_code == 403
    answer = client.post("/local/tokens", headers={"Host": host}, json={"customer_id": "anna"})
    assert (answer.status_code, "token" in answer.json()) == (403, False)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://"])
def test_no_page_of_a_site_gets_a_token(client: httpx.Client, gateway: Gateway, origin: str) -> None:
    """A form, or a script, can send a simple POST from anywhere."""
    gateway.stack = {"region": "x"}
    for headers in ({}, {"content-type": "text/plain"}):
        answer = client.post("/local/tokens", headers={"Origin": origin, **headers}, content=b'{"customer_id": "anna"}')
        assert (answer.status_code, "token" in answer.json()) == (403, False)
    assert client.get("/local/stack", headers={"Origin": origin}).status_code == 403
    preflight = client.options("/local/tokens", headers={"Origin": origin})
    assert (preflight.status_code, preflight.headers.get("access-control-allow-origin")) == (403, None)


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost", "localhost:3000", "[::1]:3000"])
def test_pages_of_this_machine_get_one(client: httpx.Client, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert client.post("/local/tokens", headers=headers, json={"customer_id": "anna"}).status_code == 200
    assert client.options("/local/tokens", headers=headers).headers["access-control-allow-origin"] == f"http://{host}"


def test_a_body_over_ten_megabytes_is_refused_unread(gateway: Gateway) -> None:
    head = b"POST /things/1/parts/2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10485761\r\n\r\n"
    assert b" 413 " in _raw(gateway, head)


def test_a_client_that_asks_for_leave_to_send_its_body_gets_it_at_once(gateway: Gateway) -> None:
    head = b"POST /things/1/parts/2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.server.port), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"abc")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /open HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x00\xff\xff\xff\r\n\r\n",
        b"GET /open HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET /open HTTP/1.1\r\nContent-Length: abc\r\n\r\n",
        b"GET /open HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /open HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /things/%ff%00 HTTP/1.1\r\n\r\n",
        b"GET /things/\xff HTTP/1.1\r\n\r\n",
        b"POST /things/1/parts/2 HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_a_request_that_cannot_be_read_harms_nobody(
    gateway: Gateway, client: httpx.Client, request_bytes: bytes
) -> None:
    answer = _raw(gateway, request_bytes)
    assert not answer or answer.split()[1] in (b"200", b"400", b"401", b"505") or b"{" in answer
    assert client.get("/open").status_code == 200


@pytest.mark.parametrize("fields", ["Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"])
def test_half_a_body_is_no_request(gateway: Gateway, functions: Functions, fields: str) -> None:
    called = len(functions.called)
    answer = _raw(gateway, f"POST /things/1/parts/2 HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}".encode())
    assert b" 400 " in answer
    assert len(functions.called) == called


def _raw(gateway: Gateway, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", gateway.server.port), timeout=3) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def test_valid_requests_get_a_token(client: httpx.Client) -> None:
    token = client.post("/local/tokens", json={"customer_id": "björn", "email": "b@example.com"}).json()["token"]
    event = client.get("/things", headers={"Authorization": f"Bearer {token}"}).json()
    assert event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "björn"
    for bad in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"customer_id": ""}',
        b'{"customer_id": 1}',
        b'{"customer_id": "a", "email": 1}',
    ):
        assert client.post("/local/tokens", content=bad).status_code == 400
    assert client.get("/local/tokens").status_code == 404


def test_the_claim_that_names_the_customer_is_the_templates() -> None:
    issuer = Issuer("https://issuer.example", ["shop"], "custom:customer")
    assert issuer.check(f"Bearer {issuer.token('anna')}")["custom:customer"] == "anna"


def test_the_stack_is_described_once_it_is_ready(client: httpx.Client, gateway: Gateway) -> None:
    gateway.stack = None
    assert client.get("/local/stack").status_code == 503
    gateway.stack = {"region": "x"}
    assert client.get("/local/stack").json() == {"region": "x"}
