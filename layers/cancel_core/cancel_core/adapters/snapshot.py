"""Keeps the state of one environment out of the snapshot that SnapStart copies to every new environment.

The snapshot must not contain anything that is unique to an environment or expires. Ids are derived, config and secrets
are read on use, and a client opens its connection with its first request. The rest is handled here.

Import only under SnapStart: the package of the hooks exists only in AWS's Python runtime.
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
    """Credentials that are fetched when the first request is signed, and then behave like botocore's own."""

    def __init__(self, load: Callable[[], Credentials]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> Credentials:
        return self._load()

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._loaded.get_frozen_credentials()

    @property
    def account_id(self) -> str | None:
        """The account id in DynamoDB's endpoint, if it is known."""
        return self.get_frozen_credentials().account_id


def prepare() -> None:
    """Call this before the first client is created."""
    session = aws.session()
    chain = session.get_component("credential_provider")
    # botocore fetches credentials when a client is created: they and their connection would be in the snapshot.
    later = SimpleNamespace(load_credentials=lambda: _WhenSigning(chain.load_credentials))
    session.register_component("credential_provider", later)
    # botocore's retry delays use this random state: all environments would retry at the same moments.
    register_after_restore(random.seed)
