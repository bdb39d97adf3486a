"""A custom resource: when the stack is created, it writes the default reasons, disabled, if there is no config."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background
from cancel_core.entrypoints.custom_resource import on_create

seed_config = wiring.seed_config()


@background
def handler(event: dict[str, Any], context: Any) -> None:
    on_create(event, context.aws_request_id, "config-seed", seed_config)
