"""Clients of AWS services, all from one session, which reads the AWS configuration once for each process.

It uses botocore's session: boto3's would import modules that no function uses (docs/performance.md).
"""

from __future__ import annotations

import os
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.credentials import ContainerProvider, CredentialResolver, EnvProvider
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.loaders import Loader
from botocore.session import Session

TRIMMED = str(Path(__file__).with_name("service_data"))
"""What the functions call, of botocore's data. `make` writes it: requirements/service_data.py."""
SERVICES = frozenset({"dynamodb", "eventbridge", "secrets-manager", "sesv2", "sqs"})
"""The services that are called, as botocore's events name them."""


class ServiceData(Loader):
    """botocore's loader. It looks into the trimmed data first, and takes the rest from botocore's own data."""

    def __init__(self, trimmed: str = TRIMMED) -> None:
        super().__init__(extra_search_paths=[trimmed])
        self._trimmed = trimmed

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore's signature
        """What lies in the folders. botocore's own method also looks into each of four hundred, which takes longer than
        making the client.
        """
        return self._services

    @cached_property
    def _services(self) -> list[str]:
        folders = [path for path in self.search_paths if os.path.isdir(path)]  # noqa: PTH112 - fast, as above
        return sorted({name for folder in folders for name in os.listdir(folder)})  # noqa: PTH208 - ten times as fast as pathlib

    def is_builtin_path(self, path: str) -> bool:
        """The trimmed data is botocore's own. Endpoints of others would take precedence over its endpoint rules."""
        return path.startswith(self._trimmed) or super().is_builtin_path(path)


@cache
def session() -> Session:
    return new_session(ServiceData())


def new_session(data: Loader) -> Session:
    """A session with this data, and with what a function can use of botocore's sources of credentials and event
    handlers: setting up all of them takes longer than making a client.
    """
    made = Session(include_builtin_handlers=False)
    made.register_component("data_loader", data)
    # A function's credentials are in its environment or, after a snapshot, at an address that the environment names.
    made.register_component("credential_provider", CredentialResolver([EnvProvider(), ContainerProvider()]))
    emitter = made.get_component("event_emitter")
    register = {
        (): emitter.register,
        (REGISTER_FIRST,): emitter.register_first,
        (REGISTER_LAST,): emitter.register_last,
    }
    for event, handler, *place in BUILTIN_HANDLERS:
        # "before-call" is for all services, "before-call.s3.DeleteObjects" for one. A hundred are for others.
        service = event.partition(".")[2].partition(".")[0]
        if not service or service in SERVICES:
            register[tuple(place)](event, handler)
    return made


def client(service: str, *, tries: int = 3, **settings: Any) -> Any:
    """A client with a connect timeout of one second and a read timeout of three. `settings` are fields of botocore's
    Config.
    """
    waits = {"connect_timeout": 1, "read_timeout": 3} | settings
    # Without a user agent here botocore composes a longer one, twice for each request (docs/performance.md).
    agent = session().user_agent()
    config = Config(user_agent=agent, retries={"mode": "standard", "total_max_attempts": tries}, **waits)
    return session().create_client(service, config=config)
