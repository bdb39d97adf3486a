"""Clients of AWS services, all from one session, which reads the AWS configuration once for each process.

The session is botocore's own: boto3's would import what no function uses (docs/performance.md).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session


@cache
def session() -> Session:
    return get_session()


def client(service: str, *, tries: int = 3, **settings: Any) -> Any:
    """A client that waits a second for a connection and three for an answer; `settings` are botocore's Config's."""
    waits = {"connect_timeout": 1, "read_timeout": 3} | settings
    config = Config(retries={"mode": "standard", "total_max_attempts": tries}, **waits)
    return session().create_client(service, config=config)
