"""The default config of a new installation: the default reasons, with cancelling disabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cancel_core.domain.policy import DEFAULT_REASONS, DEFAULT_SCOPE
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.config import Seed


def seed_config(seed: Seed) -> None:
    """Creates the item of the scope `default`, unless it exists. An admin's item is not changed."""
    put = seed.put_first({"scope": DEFAULT_SCOPE, "enabled": False, "reasons": list(DEFAULT_REASONS)})
    logger.info("the default config was written" if put else "a config already exists")
