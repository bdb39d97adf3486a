"""A request to the shop: its data on the order, and its states.

Source: the contract, part 3, "Requests". A request is `open` until the shop has decided (`approved`, `declined`), the
customer has taken it back (`withdrawn`), or the order can't be cancelled any more when it is approved (`lapsed`).
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ValidationError

from cancel_core.domain.cancellation import Fingerprint, Reason
from cancel_core.domain.values import Amount, OwnDocument

RequestStatus = Literal["open", "approved", "declined", "withdrawn", "lapsed"]
DECIDED: frozenset[RequestStatus] = frozenset({"approved", "declined", "lapsed"})
"""The statuses that the shop has decided."""


class CancellationRequest(OwnDocument):
    """The request on an order: the newest one, whatever its result.

    `amount`: what a cancel owed at that time, minor units of the order's currency. `made_by`: the gateway's id of the
    HTTP request that created it. `note`: the shop's message to the customer. Times are ISO 8601, UTC.
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

    def ended(self, status: RequestStatus, at: str | None = None, note: str | None = None) -> Self:
        """The request with its result. `at`: when the shop decided; None if the customer ended it."""
        return self.model_copy(update={"status": status, "decided_at": at, "note": note})


def lapsed(request: CancellationRequest | None) -> CancellationRequest | None:
    """The end of an open request whose order is cancelled in another way. None if there is no open one."""
    return request.ended("lapsed") if request and request.is_open else None


def read_request(value: object) -> CancellationRequest | None:
    """The attribute `cancellation_request` of an order, in plain values. A value that is not ours counts as absent."""
    try:
        return value if isinstance(value, CancellationRequest) else CancellationRequest.model_validate(value)
    except ValidationError:
        return None


def is_older_request(now: CancellationRequest | None, known: CancellationRequest) -> bool:
    """Whether someone else has replaced the known request by what the order has now.

    The product replaces a request only by its end or, once it has ended, by a later one. An approved one has cancelled
    the order, so no other end can replace it.
    """
    if now is None or now.requested_at < known.requested_at:
        return True
    if now.request_id != known.request_id or now.status == known.status:
        return False
    return now.is_open or known.status == "approved"


def has_ended(now: CancellationRequest | None, asked: CancellationRequest) -> bool:
    """Whether a request has ended, according to its order: the order has this one with its end, or a later one."""
    if now is None:
        return False
    if now.request_id == asked.request_id:
        return not now.is_open
    return now.requested_at >= asked.requested_at


def request_document(request: CancellationRequest) -> Mapping[str, Any]:
    """The stored form: plain values, absent attributes left out."""
    return request.model_dump(exclude_none=True)
