"""The paths of /control: each is a method of the state, by name, with its arguments as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local.stripe.errors import Answer, answer
from local.stripe.state import State


def control(state: State, method: str, path: str, body: str) -> Answer | None:
    """None if there is no such path."""
    found = _PATHS.get((method, path))
    if found is None:
        return None
    try:
        given = json.loads(body) if body.strip() else {}
        if not isinstance(given, dict):
            raise ValueError("a JSON object is needed")
        return answer(200, found(state, given))
    except (ValueError, TypeError) as error:
        return answer(400, {"error": {"type": "control_error", "message": str(error)}})


def _told(name: str) -> Callable[[State, dict[str, Any]], Any]:
    """The method's result: an object as it is, anything else under the method's name."""

    def path(state: State, given: dict[str, Any]) -> Any:
        result = getattr(state, name)(**given)
        return result if isinstance(result, dict) else {name: result}

    return path


_PATHS: dict[tuple[str, str], Callable[[State, dict[str, Any]], Any]] = {
    ("POST", "/control/pay"): _told("pay"),
    ("POST", "/control/refunds_become"): _told("refunds_become"),
    ("POST", "/control/set_refund"): _told("set_refund"),
    ("POST", "/control/dispute"): _told("dispute"),
    ("POST", "/control/expire"): _told("expire"),
    ("POST", "/control/balance"): _told("balance"),
    ("POST", "/control/fault"): _told("fault"),
    ("GET", "/control/planned"): _told("planned"),
    ("POST", "/control/clear_faults"): _told("clear_faults"),
    ("POST", "/control/land"): _told("land"),
    ("GET", "/control/kept_back"): _told("kept_back"),
    ("POST", "/control/advance"): _told("advance"),
    ("POST", "/control/forget_keys"): _told("forget_keys"),
    ("GET", "/control/totals"): _told("totals"),
    ("POST", "/control/reset"): _told("reset"),
    # Its name in localstripe.
    ("DELETE", "/_config/data"): _told("reset"),
}
