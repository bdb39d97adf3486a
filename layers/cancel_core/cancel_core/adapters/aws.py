"""Clients of AWS services, all from one session, which reads the AWS configuration once for each process.

It uses botocore's session: boto3's would import modules that no function uses (docs/performance.md).
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
    """A client with a connect timeout of one second and a read timeout of three. `settings` are fields of botocore's
    Config.
    """
    waits = {"connect_timeout": 1, "read_timeout": 3} | settings
    # Without a user agent here botocore composes a longer one, twice for each request (docs/performance.md).
    agent = session().user_agent()
    config = Config(user_agent=agent, retries={"mode": "standard", "total_max_attempts": tries}, **waits)
    return session().create_client(service, config=config)
