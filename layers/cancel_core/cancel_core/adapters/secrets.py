"""Secrets Manager: the payment providers' keys."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cancel_core.adapters import aws
from cancel_core.errors import ProviderUnavailable

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient

CACHE_SECONDS = 300.0


def client() -> SecretsManagerClient:
    made: SecretsManagerClient = aws.client("secretsmanager", tries=2)
    return made


class Secret:
    """One secret: a plain string, or JSON with the key under `api_key`. Read when first used, cached for minutes."""

    def __init__(
        self, arn: str, client: Callable[[], SecretsManagerClient] = client, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._arn = arn
        self._make_client = client
        self._clock = clock
        self._known: tuple[float, str] | None = None

    def __call__(self, anew: bool = False) -> str:  # noqa: FBT001 - as providers call it
        """The key, from the cache unless told to read it again. Raises `ProviderUnavailable` if there is none."""
        if self._known and not anew and self._clock() - self._known[0] < CACHE_SECONDS:
            return self._known[1]
        if not self._arn:
            raise ProviderUnavailable("no secret is configured for this payment provider")
        try:
            text = self._make_client().get_secret_value(SecretId=self._arn)["SecretString"]
        except (ClientError, BotoCoreError, KeyError) as error:
            # In every case the refund continues once a person has corrected the configuration.
            raise ProviderUnavailable(f"the provider's secret can't be read: {type(error).__name__}") from error
        self._known = (self._clock(), _key(text))
        return self._known[1]


def _key(text: str) -> str:
    try:
        content = json.loads(text)
    except ValueError:
        return text.strip()
    return str(content["api_key"]) if isinstance(content, dict) and "api_key" in content else text.strip()
