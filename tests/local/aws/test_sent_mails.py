"""The mails that moto's SES took, as they are shown."""

from __future__ import annotations

import io
import json
from typing import Any

from local.aws.sent_mails import MOST, SentMails, told

REQUEST = {
    "FromEmailAddress": "=?utf-8?q?Bj=C3=B6rns_Butik?= <shop@example.com>",
    "Destination": {"ToAddresses": ["anna@example.com"]},
    "ReplyToAddresses": ["help@example.com"],
    "Content": {
        "Simple": {
            "Subject": {"Data": "Hej"},
            "Body": {"Text": {"Data": "Hej Anna!"}, "Html": {"Data": "<p>Hej Anna!</p>"}},
        }
    },
    "EmailTags": [{"Name": "mail_id", "Value": "mail_1"}, {"Name": "kind", "Value": "order_canceled"}],
}


def ask(application: SentMails, method: str, path: str, body: bytes = b"", query: str = "") -> tuple[str, Any]:
    said: list[str] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    content = b"".join(application(environ, lambda status, _headers: said.append(status)))
    return said[0], json.loads(content)


def ses(status: str) -> Any:
    """An SES that answers so."""
    numbers = iter(range(10_000))

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert json.loads(environ["wsgi.input"].read()) == REQUEST
        start_response(status, [])
        return [json.dumps({"MessageId": f"m-{next(numbers)}"}).encode()]

    return application


def test_a_mail_is_shown_as_its_recipient_sees_it() -> None:
    mail = told(REQUEST, "m-1")
    assert mail.pop("sent_at").endswith("Z")
    assert mail == {
        "mail_id": "mail_1",
        "kind": "order_canceled",
        "from": "shop@example.com",
        "from_name": "Björns Butik",
        "reply_to": "help@example.com",
        "to": "anna@example.com",
        "subject": "Hej",
        "text": "Hej Anna!",
        "html": "<p>Hej Anna!</p>",
        "message_id": "m-1",
    }


def test_what_was_sent_is_shown_newest_first_and_the_oldest_is_forgotten() -> None:
    application = SentMails(ses("200 OK"))
    assert ask(application, "GET", "/local/mails") == ("200 OK", {"mails": []})
    for _ in range(MOST + 1):
        ask(application, "POST", "/v2/email/outbound-emails", json.dumps(REQUEST).encode())
    _, shown = ask(application, "GET", "/local/mails")
    assert [mail["message_id"] for mail in shown["mails"][:2]] == [f"m-{MOST}", f"m-{MOST - 1}"]
    assert len(shown["mails"]) == MOST


def test_what_is_newer_than_a_mail_can_be_asked_for_alone() -> None:
    application = SentMails(ses("200 OK"))
    for _ in range(3):
        ask(application, "POST", "/v2/email/outbound-emails", json.dumps(REQUEST).encode())
    for after, newer in (("m-0", ["m-2", "m-1"]), ("m-2", []), ("unknown", ["m-2", "m-1", "m-0"])):
        _, shown = ask(application, "GET", "/local/mails", query=f"after={after}")
        assert [mail["message_id"] for mail in shown["mails"]] == newer


def test_what_ses_refused_is_not_shown() -> None:
    application = SentMails(ses("400 BAD REQUEST"))
    ask(application, "POST", "/v2/email/outbound-emails", json.dumps(REQUEST).encode())
    assert ask(application, "GET", "/local/mails")[1] == {"mails": []}
