"""A request to the shop: its data on the order, and its states.

Source: the contract, part 3, "Requests". A request is `open` until the shop has decided (`approved`, `declined`), the
customer has taken it back (`withdrawn`), or the order can't be cancelled any more when it is approved (`lapsed`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from cancel_core.domain.cancellation import Fingerprint, Reason
from cancel_core.domain.values import Amount, OwnDocument

RequestStatus = Literal["open", "approved", "declined", "withdrawn", "lapsed"]
DECIDED: frozenset[RequestStatus] = frozenset({"approved", "declined", "lapsed"})
"""What the shop has had its say on."""


class CancellationRequest(OwnDocument):
    """What an order carries of the request about it: the newest one, whatever became of it.

    `amount`: what a cancel owed at that moment, minor units of the order's currency. `made_by`: the gateway's id of the
    HTTP request that made it. `note`: the shop's words to the customer. Times are ISO 8601, UTC.
    """

    request_id: str
    status: RequestStatus
    reason: Reason
    comment: str | None = None
    amount: Amount = 0
    requested_at: str
    made_by: str
    idempotency: Fingerprint | None = None
    decided_at: str | None = None
    note: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "open"

    def ended(self, status: RequestStatus, at: str | None = None, note: str | None = None) -> CancellationRequest:
        """It, with what became of it. `at`: when the shop decided; None where it was the customer."""
        return self.model_copy(update={"status": status, "decided_at": at, "note": note})


def read_request(value: object) -> CancellationRequest | None:
    """The attribute `cancellation_request` of an order, in plain values. What is none of ours counts as absent."""
    try:
        return value if isinstance(value, CancellationRequest) else CancellationRequest.model_validate(value)
    except ValidationError:
        return None


def is_older_request(now: CancellationRequest | None, known: CancellationRequest) -> bool:
    """Whether what an order carries now was put there by somebody else, in place of the request that is known.

    Ours is followed by an end of the same, or by a later one after it has ended. One that was approved has cancelled
    the order: no other end stands in its place.
    """
    if now is None or now.requested_at < known.requested_at:
        return True
    if now.request_id != known.request_id or now.status == known.status:
        return False
    return now.is_open or known.status == "approved"


def has_ended(now: CancellationRequest | None, asked: CancellationRequest) -> bool:
    """Whether a request has ended, by what its order carries now: this very one with its end, or a later one."""
    if now is None:
        return False
    if now.request_id == asked.request_id:
        return not now.is_open
    return now.requested_at >= asked.requested_at


def request_document(request: CancellationRequest) -> Mapping[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return request.model_dump(exclude_none=True)
