"""moto's server, as a process of its own: ``python -m local.moto_server PORT`` prints the port it serves, once it does.

moto's DynamoDB is not atomic: its threads share tables without a lock, so that two conditional writes can both win.
Here its calls take turns, which makes it exact. And where an attribute is written anew, moto counts the value that is
replaced towards the item's size, so that it refuses orders from 200 KB; here it counts as DynamoDB does.
"""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodbstreams.models import dynamodbstreams_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

ITERATORS = 10_000
MAX_ITEM_BYTES = 400 * 1024


class OneAtATime:
    """WSGI wrapper: one request at a time for all whose X-Amz-Target begins with DynamoDB (DynamoDBStreams among
    them)."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        # The body is read before the lock is taken, so that a slow client holds up no other.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with self._lock:
            answer = list(self._application(environ, start_response))
            _forget_iterators()
            return answer


def _forget_iterators() -> None:
    """Each GetRecords leaves an iterator behind for good; at ten polls a second that is a leak. Those of old are
    forgotten."""
    for account in dynamodbstreams_backends.values():
        for backend in account.values():
            if len(backend.shard_iterators) > ITERATORS:
                for key in list(backend.shard_iterators)[: ITERATORS // 2]:
                    del backend.shard_iterators[key]


def _set(item: LimitedSizeDict, name: str, value: Any) -> None:
    """In place of ``LimitedSizeDict.__setitem__``."""
    others = sum(_size(key) + _size(content) for key, content in item.items() if key != name)
    if others + _size(name) + _size(value) > MAX_ITEM_BYTES:
        raise ItemSizeTooLarge
    dict.__setitem__(item, name, value)


def _size(value: Any) -> int:
    return int(value.size()) if isinstance(value, DynamoType) else len(str(value).encode())


class _RequestHandler(MotoRequestHandler):
    # Headers and body are two writes; with Nagle's algorithm each answer would wait 40 ms.
    disable_nagle_algorithm = True

    def log(self, *_: Any) -> None:
        """Nothing."""


def main(port: int) -> None:
    LimitedSizeDict.__setitem__ = _set  # type: ignore[method-assign]  # see the top of the file
    application = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_RequestHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
