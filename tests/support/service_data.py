"""What botocore sends with the trimmed service data, beside what it sends with its own.

``python -m tests.support.service_data FOLDER`` compares them, for every operation that the functions call, with the
trimmed data of FOLDER and whatever botocore that Python has. It prints that botocore's version, or fails.
"""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from typing import Any

import botocore
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.handlers import BUILTIN_HANDLERS
from botocore.session import Session
from cancel_core.adapters import aws

from requirements.service_data import OPERATIONS

CALLED = [(service, operation) for service, operations in OPERATIONS.items() for operation in sorted(operations)]
"""Pairs of a service and an operation."""
SCOPE = re.compile(r"Credential=[^/]+/\d+/(\S+?)/aws4_request")


OF_DOCUMENTATION = {"docs"}


class Sent(Exception):
    """In the place of sending it."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        self.request = request


def _send(request: AWSPreparedRequest, **_: Any) -> None:
    raise Sent(request)


def session_of(folder: Path) -> Session:
    """A session as the functions have it, with the trimmed data of this folder."""
    return aws.new_session(aws.ServiceData(str(folder)))


def parameters(session: Session, service: str, operation: str) -> dict[str, Any]:
    """All that the session's model of an operation has."""
    given: dict[str, Any] = sample(session.get_service_model(service).operation_model(operation).input_shape)
    # A global endpoint: its signature needs a package that is not here.
    given.pop("EndpointId", None)
    return given


NOBODY = "local"
"""Credentials that sign a request which is never sent."""


def sent(
    session: Session, service: str, operation: str, given: dict[str, Any], region: str = "eu-north-1", **config: Any
) -> tuple[Any, ...]:
    """The address, the operation's name, the scope of the signature and the body of a request."""
    client = session.create_client(
        service,
        region,
        aws_access_key_id=NOBODY,
        aws_secret_access_key=NOBODY,
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, parameter_validation=False, **config),
    )
    client.meta.events.register("before-send", _send)
    try:
        getattr(client, xform_name(operation))(**given)
    except Sent as caught:
        request = caught.request
        scope = SCOPE.search(str(request.headers["Authorization"]))
        assert scope
        return request.url, request.headers.get("X-Amz-Target"), scope[1], request.body
    raise AssertionError("nothing was sent")


def handlers(session: Session, service: str, operation: str) -> list[Any]:
    """What botocore calls for a request of this operation, event by event."""
    emitter = session.get_component("event_emitter")
    service_id = session.get_service_model(service).service_id.hyphenize()
    events = sorted({event.partition(".")[0] for event, *_ in BUILTIN_HANDLERS} - OF_DOCUMENTATION)
    names = [f"{event}.{service_id}{rest}" for event in events for rest in ("", f".{operation}")]
    return [(name, emitter._emitter._handlers.prefix_search(name)) for name in [*events, *names]]


def sample(shape: Any, depth: int = 0, *, in_json: bool = False) -> Any:
    """A value with all members of a botocore shape, as a caller gives it, or as it stands in an answer's JSON."""
    match shape.type_name if shape else "structure":
        case "structure":
            # An attribute value has others in it.
            members = shape.members.items() if shape and depth < 6 else ()
            return {name: sample(member, depth + 1, in_json=in_json) for name, member in members}
        case "list":
            return [sample(shape.member, depth + 1, in_json=in_json)]
        case "map":
            return {"key": sample(shape.value, depth + 1, in_json=in_json)}
        case "blob":
            return base64.b64encode(b"bytes").decode() if in_json else b"bytes"
        case "string":
            return "text"
        case "boolean":
            return True
        case _:
            return 1700000000


def main(folder: Path) -> None:
    whole, trimmed = Session(), session_of(folder)
    for service, operation in CALLED:
        given = parameters(whole, service, operation)
        pair = [sent(session, service, operation, given) for session in (whole, trimmed)]
        assert pair[0] == pair[1], pair
        called = [handlers(session, service, operation) for session in (whole, trimmed)]
        assert called[0] == called[1], called
        assert any(those for _, those in called[1])
    print(botocore.__version__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
