"""Keeps state of a single environment out of the snapshot that SnapStart copies to every new environment.

Nothing may be in it that each environment must have for itself, or that must be of today. Ids are derived, config and
secrets are read when they are needed, and a client has no connection before its first request. The rest is here.

Imported under SnapStart alone: the hooks' package is part of AWS's Python runtime, and of nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace

from botocore.credentials import Credentials, ReadOnlyCredentials
from snapshot_restore_py import register_after_restore

from cancel_core.adapters import aws


class _WhenSigning(Credentials):
    """Credentials that are fetched when the first request is signed, and then are as botocore would have them."""

    def __init__(self, load: Callable[[], Credentials]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> Credentials:
        return self._load()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._loaded.get_frozen_credentials()

    @property
    def account_id(self) -> str | None:
        """Part of DynamoDB's address where it is known."""
        return self.get_frozen_credentials().account_id


def prepare() -> None:
    """To be called before the first client is made."""
    session = aws.session()
    chain = session.get_component("credential_provider")
    # botocore fetches them when a client is made: they, and the connection they came by, would be in the snapshot.
    later = SimpleNamespace(load_credentials=lambda: _WhenSigning(chain.load_credentials))
    session.register_component("credential_provider", later)
    # botocore's waits between tries are drawn from it: all environments would come again at the same moments.
    register_after_restore(random.seed)
