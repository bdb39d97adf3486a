"""One request, from its key to its response: faults, idempotency, and the endpoint under the one lock."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from local.stripe.calls import Call
from local.stripe.errors import Answer, Refusal, answer
from local.stripe.faults import Fault
from local.stripe.form import Params, decode
from local.stripe.objects import Account, new_id
from local.stripe.routes import route
from local.stripe.state import State

_KEY = re.compile("(sk|rk)_(test|live)_([A-Za-z0-9_]+)")
_NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth "
    "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
)


@dataclass(frozen=True)
class Request:
    """Names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "") if self.method == "POST" else ""


def handle(state: State, request: Request, hang_up: Callable[[], None]) -> Answer | None:
    """None: disconnect without a response. `hang_up` does so at once, while the request is still carried out."""
    try:
        made = _handle(state, request, hang_up)
    except Refusal as refusal:
        made = refusal.answer()
    if made is None:
        return None
    more = {"Request-Id": new_id("req")} | ({"Idempotency-Key": request.key} if request.key else {})
    return replace(made, headers=more | dict(made.headers))


def _handle(state: State, request: Request, hang_up: Callable[[], None]) -> Answer | None:
    with state.lock:
        state.settle()
        text = f"{request.path}?{request.query}\n{request.body}"
        fault = state.faults.take(request.method, request.path, text)
        if fault and fault.kind == "dropped":
            return None
        if fault and (instead := fault.instead(request.key)):
            return instead
        account = _account(state, request)
        params = Params(decode(request.body if request.method == "POST" else request.query))
        owner = (account.name, account.live)
        slot = state.keys.begin(owner, request.key, request.path, params.given, state.now) if request.key else None
        if slot and slot.answer:
            again = {**slot.answer.headers, "Idempotent-Replayed": "true"}
            return None if fault and fault.kind == "lost" else replace(slot.answer, headers=again)
        late = state.faults.keep_back(fault)
    if fault and late:
        state.faults.wait(fault, late, hang_up)
    with state.lock:
        made, kept = None, None
        try:
            if not late or not late.off:
                state.settle()
                made, kept = _carry_out(state, request, account, params, fault)
        finally:
            if slot:
                state.keys.end(owner, request.key, slot, kept)
            if late:
                state.faults.end(late)
    return None if fault and fault.kind == "lost" else made


def _carry_out(
    state: State, request: Request, account: Account, params: Params, fault: Fault | None
) -> tuple[Answer, Answer | None]:
    """The response, and the part that is saved under the key."""
    after_all = fault.after_all() if fault else None
    if after_all and not (fault and fault.done):
        return after_all, after_all
    try:
        endpoint, ids = route(request.method, request.path)
        call = Call(account, params, int(state.now), state.later, request.path)
        made: Answer = answer(200, endpoint(call, *ids))
        begun = True
    except Refusal as refusal:
        made, begun = refusal.answer(), refusal.begun
    made = after_all or made
    return made, made if begun or after_all else None


def _account(state: State, request: Request) -> Account:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    key = given.strip()
    if kind.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    if not key or kind.lower() not in ("basic", "bearer"):
        _unauthorized(_NO_KEY)
    if key.startswith("pk_"):
        _unauthorized(
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
            "secret_key_required",
        )
    match = _KEY.fullmatch(key)
    if not match:
        _unauthorized(f"Invalid API Key provided: {key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}")
    return state.account(match[3], live=match[2] == "live")


def _unauthorized(message: str, code: str | None = None) -> NoReturn:
    raise Refusal(401, message, code=code, begun=False)
