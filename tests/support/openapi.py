"""Holds HTTP answers against docs/openapi.yaml."""

from __future__ import annotations

import base64
import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.support.schemas import closed, fault, openapi_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_DOCUMENT = "urn:cancel-core:openapi"
PROBLEM = "application/problem+json"
JSON = "application/json"
# Headers that mean something to a client: one that is sent must be documented for that answer.
_MEANINGFUL = frozenset(
    {
        "cache-control",
        "content-encoding",
        "etag",
        "idempotency-replayed",
        "location",
        "retry-after",
        "vary",
        "x-request-id",
    }
)


class UndocumentedAnswerError(AssertionError):
    """An answer that docs/openapi.yaml does not allow."""


def body_of(response: httpx.Response) -> Any:
    """The JSON of an answer. A number with a point becomes a Decimal, which no schema takes for an integer."""
    return json.loads(response.content, parse_float=Decimal)


def content_of(answer: Mapping[str, Any]) -> bytes:
    """The body that a client gets of what a function has returned to the gateway, unpacked."""
    if not answer.get("isBase64Encoded"):
        assert "content-encoding" not in answer["headers"]
        text: str = answer["body"]
        return text.encode()
    assert answer["headers"]["content-encoding"] == "gzip"
    return gzip.decompress(base64.b64decode(answer["body"], validate=True))


class ApiDocument:
    """The OpenAPI document, ready to judge answers: a field that is not documented is a fault."""

    def __init__(self, document: dict[str, Any] | None = None) -> None:
        self.document = closed(document or openapi_document())
        contents = DRAFT202012.create_resource(self.document)
        self._registry: Registry[Any] = Registry().with_resource(_DOCUMENT, contents)

    def operations(self) -> set[tuple[str, str]]:
        """(METHOD, path template) of every operation."""
        methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
        return {
            (method.upper(), path)
            for path, entry in self.document["paths"].items()
            for method in entry
            if method in methods
        }

    def check(self, method: str, path_template: str, response: httpx.Response) -> None:
        """Raises `UndocumentedAnswerError` unless status, media type, headers and body are as the document says."""
        where = f"{method} {path_template} -> {response.status_code}"
        documented = self._follow(["paths", path_template, method.lower(), "responses", str(response.status_code)])
        if documented is None:
            raise UndocumentedAnswerError(f"{where}: this status is not documented. Body: {response.text[:500]}")
        pointer, answer = documented
        self._check_headers(where, pointer, answer, response)
        self._check_body(where, pointer, answer, response)

    def validator(self, *pointer: str) -> Draft202012Validator:
        """A validator of the schema that stands at a place of the document."""
        fragment = quote("/".join(["", *(part.replace("~", "~0").replace("/", "~1") for part in pointer)]), safe="/~")
        return Draft202012Validator({"$ref": f"{_DOCUMENT}#{fragment}"}, registry=self._registry)

    def _follow(self, pointer: list[str]) -> tuple[list[str], dict[str, Any]] | None:
        """What stands at a place, and the place it stands at when `$ref` has been followed; None if nothing does."""
        node: Any = self.document
        for part in pointer:
            node = node.get(part)
            if node is None:
                return None
        if "$ref" in node:
            return self._follow(node["$ref"].removeprefix("#/").split("/"))
        return pointer, node

    def _check_headers(self, where: str, pointer: list[str], answer: dict[str, Any], response: httpx.Response) -> None:
        documented = {name.lower(): name for name in answer.get("headers", {})}
        for name, spelled in documented.items():
            followed = self._follow([*pointer, "headers", spelled])
            assert followed is not None
            place, header = followed
            value = response.headers.get(name)
            if value is None:
                if header.get("required"):
                    raise UndocumentedAnswerError(f"{where}: header {spelled} is missing")
                continue
            if found := fault(self.validator(*place, "schema"), value):
                raise UndocumentedAnswerError(f"{where}: header {spelled}: {found}")
        if undocumented := (_MEANINGFUL & set(response.headers)) - set(documented):
            raise UndocumentedAnswerError(f"{where}: headers that are not documented: {sorted(undocumented)}")

    def _check_body(self, where: str, pointer: list[str], answer: dict[str, Any], response: httpx.Response) -> None:
        if "content" not in answer:
            if response.content:
                raise UndocumentedAnswerError(f"{where}: has a body and should have none")
            return
        media_type = response.headers.get("content-type", "").split(";")[0].strip()
        if media_type not in answer["content"]:
            raise UndocumentedAnswerError(
                f"{where}: media type {media_type!r} is not among {sorted(answer['content'])}"
            )
        try:
            body = body_of(response)
        except ValueError as error:
            raise UndocumentedAnswerError(f"{where}: the body is not JSON: {response.text[:200]!r}") from error
        if found := fault(self.validator(*pointer, "content", media_type, "schema"), body):
            raise UndocumentedAnswerError(f"{where}: {found}\n{response.text[:2000]}")
        if media_type == PROBLEM:
            self._check_problem(where, body, response)

    @staticmethod
    def _check_problem(where: str, body: dict[str, Any], response: httpx.Response) -> None:
        """What a schema cannot say: the parts of a problem agree with each other and with the request."""
        expected = {
            "type": f"urn:cancel-core:problem:{body['code']}",
            "status": response.status_code,
            # Cut, since it may be as long as the gateway allows.
            "instance": response.request.url.path[:512],
            "request_id": response.headers.get("x-request-id"),
        }
        actual = {name: body[name] for name in expected}
        if actual != expected:
            raise UndocumentedAnswerError(f"{where}: the problem says {actual}, expected {expected}")
        if body["code"] == "SERVICE_UNAVAILABLE" and "retry-after" not in response.headers:
            raise UndocumentedAnswerError(f"{where}: SERVICE_UNAVAILABLE without Retry-After")
