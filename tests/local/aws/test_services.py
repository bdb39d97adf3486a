"""What the template declares is there."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.conftest import Aws


def test_the_tables_are_the_templates(aws: Aws) -> None:
    orders = aws.client("dynamodb").describe_table(TableName=aws.tables["orders"])["Table"]
    indexes = {index["IndexName"]: index["Projection"]["ProjectionType"] for index in orders["GlobalSecondaryIndexes"]}
    assert indexes == {"by_customer": "ALL", "refund_pending": "KEYS_ONLY"}
    assert orders["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_queues_are_the_templates(aws: Aws) -> None:
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=aws.queues["RefundQueue"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "360"
    redrive = json.loads(attributes["Attributes"]["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith("RefundDeadLetterQueue")
    assert redrive["maxReceiveCount"] == 5


def test_the_rule_brings_to_the_queue_what_it_matches_and_nothing_else(aws: Aws) -> None:
    events, sqs = aws.client("events"), aws.client("sqs")
    mark = uuid.uuid4().hex

    def entry(kind: str, refund: Any) -> dict[str, str]:
        detail = json.dumps({"order_id": mark, "refund": refund})
        return {"EventBusName": "cancel-core", "Source": "cancel-core", "DetailType": kind, "Detail": detail}

    sent = [entry("OrderCanceled", {"amount": 0}), entry("OrderCanceled", None), entry("OrderRefunded", {"amount": 5})]
    assert events.put_events(Entries=sent)["FailedEntryCount"] == 0
    url = aws.queues["RefundQueue"]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            body = json.loads(message["Body"])
            found += [body] if body["detail"]["order_id"] == mark else []
    (event,) = found
    assert (event["source"], event["detail-type"]) == ("cancel-core", "OrderCanceled")
    assert event["detail"]["refund"] == {"amount": 0}
