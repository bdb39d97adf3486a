"""A custom resource of the stack: answers CloudFormation over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from cancel_core.telemetry import logger

ANSWER_SECONDS = 10


def on_create(event: Mapping[str, Any], request_id: str, resource_id: str, create: Callable[[], None]) -> None:
    """Runs `create` when the resource is created, and nothing when it is updated or deleted.

    CloudFormation always gets an answer: without one a deployment hangs for an hour.
    """
    try:
        if event["RequestType"] == "Create":
            create()
        status, reason = "SUCCESS", ""
    except Exception as error:  # noqa: BLE001 - CloudFormation shows the reason, and undoes what it did
        logger.exception("the resource could not be created")
        status, reason = "FAILED", f"{type(error).__name__}; request {request_id} in the log says more"
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")} | {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", resource_id),
    }
    # The URL is signed for a PUT without a content type.
    request = urllib.request.Request(  # noqa: S310 - as below
        event["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - the URL is CloudFormation's own
        pass
