"""Where moto is corrected it does what DynamoDB does: the same is asked of AWS's own engine."""

from __future__ import annotations

import http.client
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import jsonpath_ng.ext
import pytest
from botocore.exceptions import ClientError
from moto.events.utils import EventTemplateParser
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local.aws.moto_server import _mend_events, _mend_queues
from local.event_sources.stream import _may_wait
from tests.conftest import Aws


def test_of_many_conditional_writes_at_once_one_wins(aws: Aws) -> None:
    client, table = aws.client("dynamodb", max_pool_connections=32), aws.tables["config"]

    def write(arguments: tuple[str, threading.Barrier, int]) -> str:
        scope, together, n = arguments
        together.wait()
        try:
            client.update_item(
                TableName=table,
                Key={"scope": {"S": scope}},
                UpdateExpression="SET winner = :n",
                ConditionExpression="attribute_not_exists(winner)",
                ExpressionAttributeValues={":n": {"N": str(n)}},
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "won"

    with ThreadPoolExecutor(24) as pool:
        for _ in range(10):
            scope, together = f"race-{uuid.uuid4().hex}", threading.Barrier(24)
            outcomes = Counter(pool.map(write, [(scope, together, n) for n in range(24)]))
            assert outcomes == {"won": 1, "ConditionalCheckFailedException": 23}


def with_stream(client: Any) -> tuple[str, str]:
    """A table of one test's own: its name, and its stream's ARN."""
    name = f"t-{uuid.uuid4().hex}"
    created = client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name, created["TableDescription"]["LatestStreamArn"]


def beginning(streams: Any, arn: str) -> str:
    """The iterator at the beginning of a stream."""
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return str(iterator["ShardIterator"])


def test_a_transaction_that_fails_leaves_items_and_stream_as_they_were(aws: Aws) -> None:
    client, streams = aws.client("dynamodb"), aws.client("dynamodbstreams")
    table, arn = with_stream(client)

    def put(one: str, **condition: str) -> dict[str, Any]:
        return {"Put": {"TableName": table, "Item": {"id": {"S": one}, "n": {"N": "2"}}, **condition}}

    def update(one: str) -> dict[str, Any]:
        how = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}
        return {"Update": {"TableName": table, "Key": {"id": {"S": one}}, **how}}

    client.put_item(TableName=table, Item={"id": {"S": "a"}, "n": {"N": "1"}})
    first = streams.get_records(ShardIterator=beginning(streams, arn))
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client.transact_write_items(
            TransactItems=[update("a"), put("b"), put("c", ConditionExpression="attribute_exists(id)")]
        )
    assert {item["id"]["S"]: item["n"]["N"] for item in client.scan(TableName=table)["Items"]} == {"a": "1"}
    client.transact_write_items(TransactItems=[update("a"), put("b")])
    assert {item["id"]["S"]: item["n"]["N"] for item in client.scan(TableName=table)["Items"]} == {"a": "2", "b": "2"}
    # The reader that was there before the failure sees what came after it, and nothing of the failure.
    records = streams.get_records(ShardIterator=first["NextShardIterator"])["Records"]
    seen = sorted((record["dynamodb"]["Keys"]["id"]["S"], record["eventName"]) for record in records)
    assert [one for one in seen if one[0] != "b"] == [("a", "MODIFY")]
    assert {one[0] for one in seen} == {"a", "b"}


def test_a_path_of_an_input_transformer_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    module: Any = jsonpath_ng.ext
    unmended = module.parse

    def parse(path: str) -> Any:
        parsed.append(path)
        return unmended(path)

    monkeypatch.setattr(module, "parse", parse)
    _mend_events()
    event: Any = {"detail": {"scope": "a"}, "ingestion-time": "2026-11-22T10:00:00Z"}
    for scope in "abc":
        event["detail"]["scope"] = scope
        told = EventTemplateParser.parse('{"said": "<scope>"}', {"scope": "$.detail.scope"}, event)
        assert told == {"said": scope}
    assert parsed == ["$.detail.scope"]


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}])
def test_no_page_of_a_web_site_may_ask(aws: Aws, header: dict[str, str]) -> None:
    asked = {"X-Amz-Target": "AWSEvents.ListEventBuses", "content-type": "application/x-amz-json-1.1"}
    url = aws.client("events").meta.endpoint_url
    sent = urllib.request.Request(url, b"{}", {**asked, **header})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(sent)
    assert refused.value.code == 403


def test_a_connection_is_kept_whatever_was_asked_on_it(aws: Aws) -> None:
    asked = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "content-type": "application/x-amz-json-1.0"}
    key = "AWS4-HMAC-SHA256 Credential=local/20260101/eu-north-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"
    right = ("POST", "/", b"{}", {**asked, "authorization": key}, 200)
    with closing(http.client.HTTPConnection(urlsplit(aws.endpoint_url).netloc)) as connection:
        connection.connect()
        kept = connection.sock
        for method, path, body, headers, status in (
            right,
            ("POST", "/", b"{}" * 1000, {**asked, "origin": "https://evil.example"}, 403),
            right,
            ("GET", "/local/mails", None, {}, 200),
        ):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, connection.sock) == (status, kept), path


def test_what_is_sent_while_others_are_deleted_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    corrected: list[tuple[type, str]] = [(Message, "visible"), (Message, "delayed"), (Queue, "delete_message")]
    corrected += [(SQSBackend, name) for name in ("receive_message", "change_message_visibility", "purge_queue")]
    for owner, name in corrected:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    _mend_queues()
    sqs: Any = sqs_backends["123456789012"]["eu-north-1"]
    name = f"q-{uuid.uuid4().hex}"
    sqs.create_queue(name, {})
    taken: list[str] = []

    def take() -> None:
        while messages := sqs.receive_message(name, 10, 0, 60):
            for message in messages:
                sqs.delete_message(name, message.receipt_handle)
                taken.append(message.id)

    before = sys.getswitchinterval()
    # So that threads take turns within a method, as they do on a busy machine.
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            sending = [pool.submit(lambda: [sqs.send_message(name, "x") for _ in range(100)]) for _ in range(4)]
            while not all(one.done() for one in sending):
                for taking in [pool.submit(take) for _ in range(4)]:
                    taking.result()
        take()
    finally:
        sys.setswitchinterval(before)
    assert len(taken) == len(set(taken)) == 400
    sqs.delete_queue(name)


@pytest.mark.parametrize("aws", ["moto"], indirect=True, scope="session")
def test_who_follows_a_stream_is_answered_when_something_is_written(aws: Aws) -> None:
    client, streams = aws.client("dynamodb"), aws.client("dynamodbstreams")
    name, arn = with_stream(client)
    at = beginning(streams, arn)
    streams.meta.events.register("before-send.dynamodb-streams.GetRecords", _may_wait)

    def follow() -> list[Any]:
        return list(streams.get_records(ShardIterator=at)["Records"])

    assert follow() == []
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(follow)
        # Others have their turn meanwhile.
        client.describe_table(TableName=name)
        assert not waiting.done()
        client.put_item(TableName=name, Item={"id": {"S": "a"}})
        assert len(waiting.result()) == 1
    assert len(follow()) == 1
