"""The stack that a command works on: its options, and its clients and names."""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ops.faults import Unreachable

STACK = "cancel-core"
LOCAL_PORT = "3000"
"""The port of `make run`, unless PORT is set."""
DEFAULTS: Mapping[str, Any] = {
    "stack": STACK,
    "region": None,
    "profile": None,
    "local": False,
    "url": None,
    "json": False,
    "debug": False,
}
HISTORY = "history"
"""The config history, as a table."""


class Names(dict[str, str]):
    """Names by logical name. One that is missing does not exist in the stack's version."""

    def __init__(self, stack: str, names: Mapping[str, str]) -> None:
        super().__init__(names)
        self._stack = stack

    def __missing__(self, name: str) -> str:
        raise Unreachable(f"{self._stack} has no {name}: it is of another version than this checkout.")


@dataclass(frozen=True)
class Stack:
    """`client`: by boto3's name of the service. `tables`, `queues`: names and URLs by the template's names."""

    client: Callable[[str], Any]
    tables: Mapping[str, str]
    queues: Mapping[str, str]
    bus: str

    @property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")


def add_options(parser: argparse.ArgumentParser, *, deployed_only: bool = False) -> None:
    """The options of every command. They are accepted before and after a sub-command: see `DEFAULTS`."""
    group = parser.add_argument_group("stack and output")

    def add(name: str, text: str, **more: Any) -> None:
        group.add_argument(name, default=argparse.SUPPRESS, help=text, **more)

    add("--stack", f"the CloudFormation stack (default: {STACK})", metavar="NAME")
    add("--region", "its AWS region (default: AWS_REGION, or the profile's)")
    add("--profile", "the profile of your AWS credentials (default: AWS_PROFILE)")
    if not deployed_only:
        add("--local", f"the stack of `make run` on this machine, at {local_url()}", action="store_true")
        add("--url", "the address of another local stack; implies --local")
        add("--json", "print one JSON document", action="store_true")
    add("--debug", "also show the traceback of an error", action="store_true")


def local_url() -> str:
    """PORT changes the port of `make run`, and so the URL here."""
    return f"http://127.0.0.1:{os.environ.get('PORT') or LOCAL_PORT}"


def opened(asked: argparse.Namespace) -> Stack:
    """The stack that the options name. Raises `Unreachable`, and boto3's own errors."""
    if asked.local or asked.url:
        return local(asked.url or local_url())
    return deployed(session_of(asked), asked.stack)


def session_of(asked: argparse.Namespace) -> boto3.Session:
    """Also uses AWS_REGION, as the AWS CLI and sam do and boto3 does not."""
    return boto3.Session(profile_name=asked.profile, region_name=asked.region or os.environ.get("AWS_REGION"))


def deployed(session: boto3.Session, name: str) -> Stack:
    """A stack in AWS, found by its CloudFormation stack's name."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    try:
        rows = [row for page in pages for row in page["StackResourceSummaries"]]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError" or "does not exist" not in str(error):
            raise
        raise Unreachable(
            f"There is no stack {name} in {session.region_name}, in the account of these credentials: "
            "use --stack, --region or --profile."
        ) from error
    ids = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows if "PhysicalResourceId" in row}
    tables = {key.removesuffix("Table").lower(): value for key, value in ids.items() if key.endswith("Table")}
    if "confighistory" in tables:
        tables[HISTORY] = tables.pop("confighistory")
    told = f"The stack {name}"
    queues = Names(told, {key: value for key, value in ids.items() if key.endswith("Queue")})
    return Stack(_clients(session, lambda _: None), Names(told, tables), queues, Names(told, ids)["EventBus"])


def local(url: str) -> Stack:
    """The stack of `make run`. Raises `Unreachable`."""
    told = _asked_at(url.rstrip("/"))
    session = boto3.Session("local", "local", region_name=told["region"])
    endpoint, database = told["endpoint_url"], told["dynamodb_endpoint_url"]

    where = f"The local stack at {url}"
    tables = Names(where, told["tables"] | {HISTORY: told["history_tables"]["config"]})
    clients = _clients(session, lambda service: database if service.startswith("dynamodb") else endpoint)
    return Stack(clients, tables, Names(where, told["queues"]), told["event_bus"])


def _clients(session: boto3.Session, endpoint: Callable[[str], str | None]) -> Callable[[str], Any]:
    # The type stubs accept only literal names.
    make: Any = session.client
    return lambda service: make(service, endpoint_url=endpoint(service))


def _asked_at(url: str) -> dict[str, Any]:
    elsewhere = "If it runs at another address, name it: --url http://127.0.0.1:PORT."
    try:
        with urllib.request.urlopen(f"{url}/local/stack", timeout=10) as answer:  # noqa: S310 - the operator's own address
            told: dict[str, Any] = json.load(answer)
            _ = told["tables"]
            return told
    except urllib.error.HTTPError as error:
        if error.code == 503:
            raise Unreachable(f"The local stack at {url} is starting: repeat the command in a moment.") from error
        raise Unreachable(f"What answers at {url} is no local stack (HTTP {error.code}). {elsewhere}") from error
    except OSError as error:
        raise Unreachable(f"No local stack answers at {url}: start it with `make run`. {elsewhere}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Unreachable(f"What answers at {url} is no local stack. {elsewhere}") from error
