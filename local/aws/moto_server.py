"""moto's server, as a process of its own: ``python -m local.aws.moto_server PORT`` prints its port, once it serves it.

Nine things are patched, so that it behaves as AWS does and needs less of the machine:

- Its DynamoDB is not atomic: threads share tables without a lock, and two conditional writes can both succeed. Here
  DynamoDB's calls are processed one at a time, in the order received.
- Its transactions copy the whole table with its stream, and restore the copy to roll back: ever slower, and readers of
  the stream keep one that gets no more records. Here only the items concerned are kept and restored.
- When an attribute is overwritten, it counts the old value towards the item's size as well, and refuses orders from
  200 KB. Here it counts as DynamoDB does.
- When it writes a response, it compares every value in every item with each type, in several spellings: 20 orders took
  80 ms. Here the type is taken from the value.
- Its EventBridge creates a JSONPath parser for each event, target and path, a quarter of a second in total on a busy
  machine. Here each path is parsed once.
- Its SQS iterates over every message of a queue for each that it receives or returns, and computes the time for each
  of them: 58 ms with 1,500 waiting. It deletes by assigning a new list: if two clients do so concurrently, one restores
  what the other deleted, and loses messages sent in between. Two that receive concurrently can get the same message, or
  an exception. Here the time is the system's, messages are deleted from the existing list, and the clients of a queue
  take turns; one that waits for a message does not block the others.
- Its streams answer at once if there is nothing new, and a client polls ten times a second: five of them took a sixth
  of a core, all the time. Here such a GetRecords (`MAY_WAIT`) waits for a record, for a second at most.
- On each request it reads the list of services from the disk, and the methods of a service from its class. Here it does
  so once.
- Its server closes each connection: a new one for each call, with its own thread, takes a third of the processor time
  of a call. Here connections are kept open.

GET /local/mails shows the mails that its SES accepted (`sent_mails.py`).
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jsonpath_ng.ext
from moto import backends
from moto.core import responses
from moto.core.serialize import JSONSerializer
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodbstreams.models import ShardIterator, dynamodbstreams_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend
from werkzeug.serving import make_server

from local.aws.sent_mails import SentMails
from local.server import MAY_WAIT_HEADER, is_ours

ITERATORS = 10_000
MAX_ITEM_BYTES = 400 * 1024
RECORD_SECONDS = 1
"""How long GetRecords waits for a record. A thread that polls a stream can't be stopped any sooner."""
MAY_WAIT = f"HTTP_{MAY_WAIT_HEADER.upper().replace('-', '_')}"
# The name of this machine inside a Docker container: `make invoke`.
CONTAINERS = frozenset({"host.docker.internal", "docker.for.mac.localhost"})


class OneAtATime:
    """WSGI wrapper: one request at a time for all whose X-Amz-Target begins with DynamoDB, as DynamoDBStreams' does."""

    def __init__(self, application: Any) -> None:
        self._application = application
        # One thread handles them all, in order. A lock would be correct too, but could let some wait for seconds.
        self._turns = ThreadPoolExecutor(1)
        self._written = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The body is read before its turn, so that a slow client blocks no other; and it is always read, because the
        # next request on the connection begins after it.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        # moto allows requests from the pages of every web site.
        if not is_ours(environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN"), CONTAINERS):
            start_response("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"Forbidden"]
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        if MAY_WAIT in environ:
            self._wait_for_a_record(body)
        return self._turns.submit(self._answer, environ, start_response).result()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _forget_iterators()
        try:
            return list(self._application(environ, start_response))
        finally:
            with self._written:
                self._written.notify_all()

    def _wait_for_a_record(self, body: bytes) -> None:
        """Outside its turn, so that others can write a record."""
        if iterator := _iterator(body):
            shard = iterator.stream_shard
            with self._written:
                self._written.wait_for(
                    lambda: shard.starting_sequence_number + len(shard.items) > iterator.sequence_number,
                    RECORD_SECONDS,
                )


def _iterator(body: bytes) -> ShardIterator | None:
    """The stream of a GetRecords; None for a request that moto will refuse."""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        name = json.loads(body)["ShardIterator"]
        for account in list(dynamodbstreams_backends.values()):
            for backend in list(account.values()):
                if name in backend.shard_iterators:
                    return backend.shard_iterators[name]
    return None


def _forget_iterators() -> None:
    """Each GetRecords leaves an iterator behind, a leak at ten polls a second: old ones are removed."""
    for account in dynamodbstreams_backends.values():
        for backend in account.values():
            if len(backend.shard_iterators) > ITERATORS:
                for key in list(backend.shard_iterators)[: ITERATORS // 2]:
                    del backend.shard_iterators[key]


def _mend_transactions() -> None:
    """Rolls back by item. The table is not copied, so moto's rollback restores the table itself."""
    unmended = DynamoDBBackend.transact_write_items

    def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        before: list[tuple[Table, Any, Any, Any]] = []
        streams: list[tuple[Any, int]] = []
        for operation in (operation for item in transact_items for operation in item.values()):
            # A request without a table or a key is refused by moto itself, below.
            with contextlib.suppress(Exception):
                table = self.tables[operation["TableName"]]
                keys = self.get_keys_value(table, operation.get("Key") or operation["Item"])
                before.append((table, *keys, copy.deepcopy(table.get_item(*keys))))
                if table.stream_shard:
                    streams.append((table.stream_shard, len(table.stream_shard.items)))
        try:
            unmended(self, transact_items)
        except Exception:
            for table, hash_key, range_key, item in before:
                rows, key = (table.items[hash_key], range_key) if range_key else (table.items, hash_key)
                if item is None:
                    rows.pop(key, None)
                else:
                    rows[key] = item
            for shard, length in streams:
                del shard.items[length:]
            raise

    DynamoDBBackend.transact_write_items = transact_write_items  # type: ignore[method-assign]  # patched, see above
    Table.__deepcopy__ = lambda self, _: self  # type: ignore[attr-defined]  # it has none of its own


def _mend_sizes() -> None:
    def size(value: Any) -> int:
        return int(value.size()) if isinstance(value, DynamoType) else len(str(value).encode())

    def set_item(self: LimitedSizeDict, name: str, value: Any) -> None:
        others = sum(size(key) + size(content) for key, content in self.items() if key != name)
        if others + size(name) + size(value) > MAX_ITEM_BYTES:
            raise ItemSizeTooLarge
        dict.__setitem__(self, name, value)

    LimitedSizeDict.__setitem__ = set_item  # type: ignore[method-assign]  # patched, see above


def _mend_answers() -> None:
    unmended = JSONSerializer._serialize_type_structure  # noqa: SLF001  # there is no other way in

    def serialize(self: JSONSerializer, serialized: dict[str, Any], value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or not isinstance(value, dict):
            unmended(self, serialized, value, shape, key)
            return
        typed: dict[str, Any] = {}
        for kind, content in value.items():
            self._serialize(typed, content, shape.members[kind], kind)  # as in the original method
        self._default_serialize(serialized, typed, shape, key)

    JSONSerializer._serialize_type_structure = serialize  # type: ignore[assignment]  # noqa: SLF001  # patched, see above


def _mend_events() -> None:
    # moto would compute it each time, here.
    module: Any = jsonpath_ng.ext
    module.parse = functools.cache(module.parse)


def _mend_lookups() -> None:
    services = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: services
    module: Any = responses
    module.method_names_from_class = functools.cache(module.method_names_from_class)


def _mend_queues() -> None:
    def delete_message(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            if receipt_handle in self.deleted_messages:
                return
            found = [one for one in self._messages if one.had_receipt_handle(receipt_handle)]
            if not found:
                raise ReceiptHandleIsInvalid
            for one in found:
                self.pending_messages.discard(one)
                self.deleted_messages.update(handle for handle in one.all_receipt_handles if handle)
                self._messages.remove(one)

    visible = property(lambda self: time.time() * 1000 > self.visible_at)
    delayed = property(lambda self: time.time() * 1000 < self.delayed_until)
    Message.visible = visible  # type: ignore[assignment,method-assign]  # patched, see above
    Message.delayed = delayed  # type: ignore[assignment,method-assign]  # patched, see above
    Queue.delete_message = delete_message  # type: ignore[method-assign]  # patched, see above
    for method in ("receive_message", "change_message_visibility", "purge_queue"):
        setattr(SQSBackend, method, _in_turn(getattr(SQSBackend, method)))


def _in_turn(unmended: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(unmended)
    def method(self: SQSBackend, queue_name: str, *arguments: Any, **named: Any) -> Any:
        # The queue waits for messages on this very condition, which gives it up for as long.
        with self.get_queue(queue_name)._messages_lock:  # noqa: SLF001  # there is no other
            return unmended(self, queue_name, *arguments, **named)

    return method


class _RequestHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes; with Nagle's algorithm each answer would wait 40 ms.
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answers one request, and keeps the connection: werkzeug closes each, after waiting for further data.

        A connection and a thread of its own for each call take a quarter of the processor time of both ends.
        """
        environ = self.make_environ()
        begun: list[tuple[str, list[tuple[str, str]]]] = []
        written: list[bytes] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return written.append

        try:
            written += self.server.app(environ, start_response)
            content = b"".join(written)
        except Exception:  # noqa: BLE001  # a fault of moto's is an answer to the client, and shown
            traceback.print_exc()
            begun, content = [("500 INTERNAL SERVER ERROR", [])], b""
        # Unread data would be parsed as the next request: only chunked bodies, which AWS clients do not send here.
        self.close_connection |= "Transfer-Encoding" in self.headers
        status, headers = begun[-1]
        code, _, message = status.partition(" ")
        self.send_response(int(code), message)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log(self, *_: Any) -> None:
        """Nothing."""


def main(port: int) -> None:
    """Serve until killed."""
    _mend_transactions()
    _mend_sizes()
    _mend_answers()
    _mend_events()
    _mend_lookups()
    _mend_queues()
    application = SentMails(OneAtATime(DomainDispatcherApplication(create_backend_app)))
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_RequestHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
