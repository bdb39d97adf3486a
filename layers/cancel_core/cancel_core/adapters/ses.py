"""SES, API version 2: sends one mail to one recipient, and reports the result."""

from __future__ import annotations

from email.header import Header
from email.utils import formataddr
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cancel_core.adapters import aws
from cancel_core.errors import MailRefused, MailUnavailable

if TYPE_CHECKING:
    from types_boto3_sesv2.client import SESV2Client

    from cancel_core.adapters.mail_templates import Written
    from cancel_core.domain.mail_settings import MailSettings
    from cancel_core.domain.mails import Mail

_PASSES = frozenset(
    {
        "TooManyRequestsException",
        "LimitExceededException",
        "Throttling",
        "ThrottlingException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalServerError",
    }
)
"""Temporary errors. An exhausted daily quota is reported as too many requests, too."""
_TOO_MANY, _SERVER_ERROR = 429, 500


def client() -> SESV2Client:
    # No retries: SES has no idempotency key, so the client's retry could send a second mail.
    made: SESV2Client = aws.client("sesv2", tries=1, read_timeout=5)
    return made


class Sender:
    """Sends from the addresses of one identity. `configuration_set` determines where bounces and complaints are
    reported.
    """

    def __init__(self, client: SESV2Client, configuration_set: str) -> None:
        self._client = client
        self._configuration_set = configuration_set

    def send(self, mail: Mail, written: Written, settings: MailSettings) -> str:
        """SES's message id. Raises `MailUnavailable` if the same mail should be retried, `MailRefused` if not.

        Neither contains SES's error message, which may contain an address.
        """
        request: dict[str, Any] = {
            "FromEmailAddress": formataddr((str(Header(settings.shop, "utf-8")), settings.sender))
            if settings.shop_name
            else settings.sender,
            "Destination": {"ToAddresses": [mail.to]},
            "Content": {
                "Simple": {
                    "Subject": _content(written.subject),
                    "Body": {"Text": _content(written.text), "Html": _content(written.html)},
                }
            },
            "ConfigurationSetName": self._configuration_set,
            "EmailTags": [{"Name": "mail_id", "Value": mail.mail_id}, {"Name": "kind", "Value": mail.kind}],
        }
        if settings.reply_to:
            request["ReplyToAddresses"] = [settings.reply_to]
        try:
            return self._client.send_email(**request)["MessageId"]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "Unknown")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if code in _PASSES or status == _TOO_MANY or status >= _SERVER_ERROR:
                raise MailUnavailable(code) from None
            raise MailRefused(code) from None
        except BotoCoreError as error:
            raise MailUnavailable(type(error).__name__) from None


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
