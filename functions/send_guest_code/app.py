"""The queue of code requests: decides whether a code is sent, and sends it."""

from typing import Any

from cancel_core import wiring
from cancel_core.entrypoints.background import background
from cancel_core.entrypoints.guest_queue import each_code

send_code = wiring.send_guest_code()


@background
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return each_code(event, lambda message: send_code(message, wiring.now), wiring.postpone_guest_code)
