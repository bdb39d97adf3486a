"""A resource of the stack: on its creation the config table gets the default reasons, switched off, if it has none."""

import json
import urllib.request
from typing import Any

from cancel_core import wiring
from cancel_core.policy import DEFAULT_REASONS, DEFAULT_SCOPE
from cancel_core.telemetry import background, logger

ANSWER_SECONDS = 10


@background
def handler(event: dict[str, Any], context: Any) -> None:
    """CloudFormation waits for an answer, whatever becomes of it: without one a deployment hangs for an hour."""
    try:
        # An admin's item stays, and so it does whenever the stack is updated or deleted.
        if event["RequestType"] == "Create":
            document = {"scope": DEFAULT_SCOPE, "enabled": False, "reasons": list(DEFAULT_REASONS)}
            put = wiring.config_seed().put_first(document)
            logger.info("the default config was put" if put else "there is a config already")
        status, reason = "SUCCESS", ""
    except Exception as error:  # noqa: BLE001 - CloudFormation shows the reason, and undoes what it did
        logger.exception("the default config could not be put")
        status, reason = "FAILED", f"{type(error).__name__}; request {context.aws_request_id} in the log says more"
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")} | {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": event.get("PhysicalResourceId", "config-seed"),
    }
    # The URL is signed for a PUT without a content type.
    request = urllib.request.Request(  # noqa: S310 - as below
        event["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - the URL is CloudFormation's own
        pass
