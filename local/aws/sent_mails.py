"""The mails that moto's SES accepted: nothing is sent from this machine, and GET /local/mails of moto's server shows
them.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr
from itertools import takewhile
from typing import Any
from urllib.parse import parse_qs

SEND = ("POST", "/v2/email/outbound-emails")
SHOW = ("GET", "/local/mails")
MOST = 1000
"""Older ones are dropped."""


class SentMails:
    """WSGI wrapper: keeps what SES answered 200 to, newest first; with `?after=` a message_id only what is newer."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._mails: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = (environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""))
        if asked == SHOW:
            after = parse_qs(environ.get("QUERY_STRING", "")).get("after", [None])[0]
            with self._lock:
                newer = list(takewhile(lambda mail: mail["message_id"] != after, self._mails))
            body = json.dumps({"mails": newer}).encode()
            start_response("200 OK", [("content-type", "application/json"), ("content-length", str(len(body)))])
            return [body]
        if asked != SEND:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        request = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(request)
        status: list[str] = []

        def started(code: str, headers: Any, *more: Any) -> Any:
            status.append(code)
            return start_response(code, headers, *more)

        content = b"".join(self._application(environ, started))
        if status and status[0].startswith("200"):
            mail = told(json.loads(request), json.loads(content)["MessageId"])
            with self._lock:
                self._mails = [mail, *self._mails][:MOST]
        return [content]


def told(request: dict[str, Any], message_id: str) -> dict[str, Any]:
    """One mail as GET /local/mails shows it, from a request of SES's SendEmail."""
    tags = {tag["Name"]: tag["Value"] for tag in request.get("EmailTags", [])}
    name, address = parseaddr(request["FromEmailAddress"])
    simple = request["Content"]["Simple"]
    (to,) = request["Destination"]["ToAddresses"]
    return {
        "mail_id": tags.get("mail_id"),
        "kind": tags.get("kind"),
        "from": address,
        "from_name": str(make_header(decode_header(name))) if name else None,
        "reply_to": next(iter(request.get("ReplyToAddresses", [])), None),
        "to": to,
        "subject": simple["Subject"]["Data"],
        "text": simple["Body"]["Text"]["Data"],
        "html": simple["Body"]["Html"]["Data"],
        "sent_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "message_id": message_id,
    }
