"""What the operator's programs share: which stack they work on, and how they show what they find."""

from __future__ import annotations

import argparse
import json
import urllib.request
from decimal import Decimal
from typing import Any

import boto3


def parser(prog: str, description: str | None) -> argparse.ArgumentParser:
    """A program's parser, with the arguments that name the stack."""
    made = argparse.ArgumentParser(
        prog=prog, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--stack", default="cancel-core", help="the CloudFormation stack's name")
    made.add_argument("--local", action="store_true", help="the stack of `make run`, at --url")
    made.add_argument("--url", default="http://127.0.0.1:3000", help="where that is, if not at %(default)s")
    return made


def deployed_ids(session: boto3.Session, stack: str) -> dict[str, str]:
    """The physical ids of a CloudFormation stack's resources, by the template's names."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        row["LogicalResourceId"]: row["PhysicalResourceId"] for page in pages for row in page["StackResourceSummaries"]
    }


def local_stack(url: str) -> tuple[boto3.Session, dict[str, Any]]:
    """A session for the stack of `make run`, and what that tells of itself."""
    with urllib.request.urlopen(f"{url}/local/stack", timeout=10) as answer:  # noqa: S310 - the operator's own address
        told: dict[str, Any] = json.load(answer)
    return boto3.Session("local", "local", region_name=told["region"]), told


def as_json(document: object) -> str:
    """A document of plain values, for a person to read."""
    return json.dumps(document, default=_plain, indent=2, ensure_ascii=False)


def _plain(value: object) -> int | float | str | list[Any]:
    if isinstance(value, set):
        return sorted(value, key=str)
    if not isinstance(value, Decimal):
        # Of the shop's own attributes: binaries.
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
