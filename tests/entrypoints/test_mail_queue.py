"""The mail queue's messages: what is accepted, what is retried, and what SES says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cancel_core.entrypoints.mail_queue import LATE_AFTER, each_message, read_returned
from cancel_core.errors import MailPostponed, ServiceUnavailable
from cancel_core.services.mails import Returned
from cancel_core.telemetry import logger

EVENT = {
    "source": "cancel-core",
    "detail-type": "OrderCanceled",
    "detail": {"order_id": "o1", "cancellation_id": "can_1", "store_id": "default"},
}
BOUNCE = {
    "source": "aws.ses",
    "detail-type": "Email Bounced",
    "detail": {
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "NoEmail",
            "bouncedRecipients": [{"emailAddress": "someone@example.com"}],
            "timestamp": "2026-11-22T10:05:00.000Z",
        },
        "mail": {"destination": ["someone@example.com"], "tags": {"mail_id": ["mail_1"], "kind": ["order_canceled"]}},
    },
}
COMPLAINT = {
    "source": "aws.ses",
    "detail-type": "Email Complaint Received",
    "detail": {
        "complaint": {"complaintFeedbackType": "abuse", "timestamp": "2026-11-22T11:00:00.000Z"},
        "mail": {"tags": {"mail_id": ["mail_1"]}},
    },
}


class Taken:
    """What was taken in, what SES said, and what was put off."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, str]] = []
        self.returned: list[Returned] = []
        self.postponed: list[tuple[str, int]] = []
        self._error = error

    def send(self, detail_type: str, detail: Any) -> None:
        if self._error:
            raise self._error
        self.sent.append((detail_type, detail["order_id"]))

    def handle(self, *bodies: Any, received: int = 1) -> list[str]:
        """The numbers of the messages that are to be retried."""
        records = [
            {
                "messageId": str(number),
                "receiptHandle": f"handle-{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": str(received)},
            }
            for number, body in enumerate(bodies)
        ]
        answer = each_message(
            {"Records": records},
            self.send,
            self.returned.append,
            lambda handle, times: self.postponed.append((handle, times)),
        )
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_an_event_is_sent_and_what_ses_says_is_noted() -> None:
    taken = Taken()
    assert taken.handle(EVENT, BOUNCE, COMPLAINT) == []
    assert taken.sent == [("OrderCanceled", "o1")]
    assert taken.returned == [
        Returned("mail_1", "bounced", "2026-11-22T10:05:00.000Z", "Permanent NoEmail"),
        Returned("mail_1", "complained", "2026-11-22T11:00:00.000Z", "abuse"),
    ]


def test_in_the_log_a_requests_id_is_not_in_place_of_the_invocations() -> None:
    detail = {"order_id": "o1", "request_id": "req_1", "store_id": "default"}
    event = {"source": "cancel-core", "detail-type": "CancellationRequested", "detail": detail}
    logger.append_keys(request_id="of the invocation")
    try:
        assert Taken().handle(event) == []
        keys = logger.get_current_keys()
    finally:
        logger.clear_state()
    names = ("order_id", "cancellation_request_id", "request_id")
    assert [keys[name] for name in names] == ["o1", "req_1", "of the invocation"]


@pytest.mark.parametrize(
    "other",
    [
        {"source": "aws.ses", "detail-type": "Email Delivered", "detail": {"mail": {"tags": {"mail_id": ["mail_1"]}}}},
        {"source": "aws.ses", "detail-type": "Email Bounced", "detail": {"mail": {"tags": {}}}},
        {"source": "aws.ses", "detail-type": "Email Bounced", "detail": {}},
    ],
)
def test_what_else_ses_says_is_let_go(other: Any) -> None:
    taken = Taken()
    assert taken.handle(other) == []
    assert taken.returned == []
    assert read_returned(other) is None


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "{}", {"source": "cancel-core"}, EVENT | {"detail": {}}])
def test_a_message_that_cannot_be_read_comes_again_and_holds_up_no_other(body: Any) -> None:
    taken = Taken()
    assert taken.handle(body, EVENT, received=3) == ["0"]
    assert taken.postponed == [("handle-0", 3)]
    assert taken.sent == [("OrderCanceled", "o1")]


@pytest.mark.parametrize(
    "error", [MailPostponed("TooManyRequestsException"), ServiceUnavailable("busy"), KeyError("x")]
)
def test_what_could_not_be_sent_comes_again_and_in_the_end_is_told(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = Taken(error)
    assert taken.handle(EVENT, received=LATE_AFTER - 1) == ["0"]
    assert taken.handle(EVENT, received=LATE_AFTER) == ["0"]
    assert [times for _, times in taken.postponed] == [LATE_AFTER - 1, LATE_AFTER]
    assert "someone@example.com" not in capsys.readouterr().out
