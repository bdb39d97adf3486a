"""The providers' keys in Secrets Manager."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import uuid4

import pytest
from cancel_core.adapters.providers.registry import providers
from cancel_core.adapters.secrets import CACHE_SECONDS, Secret
from cancel_core.domain.provider import PaymentRequest
from cancel_core.errors import ProviderUnavailable

from tests.support.tables import impatient


class Aws(Protocol):
    def client(self, service: str, **config: Any) -> Any: ...


def made(aws: Aws, text: str) -> tuple[Any, str]:
    client = aws.client("secretsmanager")
    return client, client.create_secret(Name=str(uuid4()), SecretString=text)["ARN"]


@pytest.mark.parametrize("text", ["the-key", " the-key\n", '{"api_key": "the-key", "other": 1}'])
def test_a_secret_is_text_or_json(aws: Aws, text: str) -> None:
    client, arn = made(aws, text)

    assert Secret(arn, lambda: client)() == "the-key"


def test_it_is_kept_for_minutes_and_read_anew_when_asked(aws: Aws) -> None:
    client, arn = made(aws, "old")
    seconds = [0.0]
    secret = Secret(arn, lambda: client, clock=lambda: seconds[0])
    assert secret() == "old"
    client.put_secret_value(SecretId=arn, SecretString="new")

    assert secret() == "old"
    assert secret(anew=True) == "new"
    client.put_secret_value(SecretId=arn, SecretString="newest")
    seconds[0] = CACHE_SECONDS
    assert secret() == "newest"


def test_what_can_not_be_read_is_waited_for_and_nothing_of_it_is_told(aws: Aws) -> None:
    client, arn = made(aws, "the-key")

    with pytest.raises(ProviderUnavailable, match="ResourceNotFoundException"):
        Secret(arn + "x", lambda: client)()
    with pytest.raises(ProviderUnavailable, match="can't be read"):
        Secret(arn, lambda: impatient("secretsmanager", 1))()


def test_stripe_without_a_secret_pays_nothing_and_loses_nothing() -> None:
    with pytest.raises(ProviderUnavailable, match="no secret is configured"):
        providers()["stripe"].execute(PaymentRequest("refund", "key", "ref", "p1", "pi_1", 1, "SEK"))
