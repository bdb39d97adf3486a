"""A customer's HTTP client. Each answer is held against docs/openapi.yaml, and searched for what is private."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import httpx

from tests.support.openapi import ApiDocument

# Test orders carry these in e-mail addresses and payment references. No answer and no log line may hold them.
PRIVATE_EMAIL = "never-shown@example.com"
PRIVATE_REFERENCE = "pi_never_shown"
PRIVATE_COMMENT = "never-logged-comment"
"""Comments are shown to the customer who wrote them, but never logged."""


PLAIN: Final = httpx.create_ssl_context()
"""For httpx's `verify`: the stack speaks no TLS, and each client would read all the world's certificates for itself."""


class Client:
    """Calls the API as one customer (or as nobody, without a token)."""

    def __init__(
        self,
        endpoint: str,
        *,
        token: str | None = None,
        document: ApiDocument | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.document = document or ApiDocument()
        self.token = token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # Twenty requests at once are part of the tests.
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        self._http = httpx.Client(
            base_url=endpoint,
            headers=headers,
            timeout=60,
            limits=limits,
            trust_env=False,
            transport=transport,
            verify=PLAIN,
        )

    def close(self) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path_template: str,
        *,
        params: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        **path: str,
    ) -> httpx.Response:
        """One request. `path` fills the template's names, percent-encoded. Raises `UndocumentedAnswerError`."""
        url = path_template.format(**{name: quote(value, safe="") for name, value in path.items()})
        response = self._http.request(method, url, params=params, headers=headers, json=json, content=content)
        self.document.check(method, path_template, response)
        for private in (PRIVATE_EMAIL, PRIVATE_REFERENCE):
            assert private not in response.text, f"{method} {url} shows {private}"
        return response

    def get(self, path_template: str, **named: Any) -> httpx.Response:
        return self.request("GET", path_template, **named)

    def post(self, path_template: str, **named: Any) -> httpx.Response:
        return self.request("POST", path_template, **named)

    def delete(self, path_template: str, **named: Any) -> httpx.Response:
        return self.request("DELETE", path_template, **named)

    def raw(self, method: str, url: str, **named: Any) -> httpx.Response:
        """A request to what is not in the document: another route, a preflight."""
        return self._http.request(method, url, **named)
