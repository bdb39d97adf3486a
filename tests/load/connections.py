"""A connection for each request. httpx looks through all it has for each, which takes longer than the requests where
there are thousands at once.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

import httpx

SECONDS = 60


class OneEach(httpx.BaseTransport):
    """Raises `httpx.TransportError` where there is no answer."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        connection = HTTPConnection(request.url.host, request.url.port, timeout=SECONDS)
        try:
            target = request.url.raw_path.decode()
            connection.request(request.method, target, body=request.read(), headers=dict(request.headers))
            answer = connection.getresponse()
            return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
        except (OSError, HTTPException) as error:
            raise httpx.TransportError(type(error).__name__) from error
        finally:
            connection.close()
