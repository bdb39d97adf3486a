"""The row of the requests table: the request, the shop's decision, and the result.

The product's: the key `request_id`, `status`, `open` (present while it is open), `decided` (the decision that counts),
`outcome` (a text for the admin), and the order's data at that time. The admin's: `decision` and `note`.
"""

from typing import Any, Literal, NamedTuple

from cancel_core.domain.cancellation import Reason
from cancel_core.domain.cancellation_request import CancellationRequest, RequestStatus
from cancel_core.domain.setting_values import is_blank, shown
from cancel_core.domain.values import Amount, Document

OPEN = "open"
"""The one key of the index of open requests."""
LONGEST_NOTE = 500
Word = Literal["approved", "declined"]


class Decided(Document):
    """The decision that is carried out, whatever the admin writes later. `at`: ISO 8601, UTC."""

    decision: Word
    at: str
    note: str | None = None


class Row(Document):
    """A row of the table. `decision` and `note` are the admin's input, not validated."""

    request_id: str
    order_id: str
    placed_at: str
    store_id: str
    customer_id: str | None = None
    status: RequestStatus
    reason: str
    description: str
    comment: str | None = None
    amount: Amount
    currency: str = ""
    requested_at: str
    made_by: str
    decision: Any = None
    note: Any = None
    decided: Decided | None = None
    outcome: Any = None

    @property
    def request(self) -> CancellationRequest:
        """The request as it was on the order when it was created."""
        return CancellationRequest(
            request_id=self.request_id,
            status="open",
            reason=Reason(code=self.reason, description=self.description),
            comment=self.comment,
            amount=self.amount,
            requested_at=self.requested_at,
            made_by=self.made_by,
        )


class AskedAbout(NamedTuple):
    """The order that a request is about."""

    order_id: str
    placed_at: str
    store_id: str
    customer_id: str | None
    currency: str


def new_row(order: AskedAbout, request: CancellationRequest) -> dict[str, Any]:
    """The row of a new request, in plain values."""
    row = {
        "request_id": request.request_id,
        **order._asdict(),
        "status": "open",
        "open": OPEN,
        "reason": request.reason.code,
        "description": request.reason.description,
        "comment": request.comment,
        "amount": request.amount,
        "requested_at": request.requested_at,
        "made_by": request.made_by,
    }
    return {name: value for name, value in row.items() if value is not None}


def read_decision(row: Row, at: str) -> Decided | str | None:
    """The admin's decision; a text that says what is wrong with it; None if there is none yet."""
    if row.decision is None or (isinstance(row.decision, str) and is_blank(row.decision)):
        return None
    word = row.decision.strip().lower() if isinstance(row.decision, str) else ""
    if word not in {"approved", "declined"}:
        said = f"'{shown(row.decision)}'" if isinstance(row.decision, str) else "no text"
        return f"NOT CARRIED OUT: decision is {said}; set it to the word approved or declined."
    if row.note is not None and not isinstance(row.note, str):
        return "NOT CARRIED OUT: note is no text; make it a String, or remove it."
    if row.note and len(row.note) > LONGEST_NOTE:
        return f"NOT CARRIED OUT: note has more than {LONGEST_NOTE} characters; make it shorter."
    note = None if row.note is None or is_blank(row.note) else row.note.strip()
    return Decided(decision="approved" if word == "approved" else "declined", at=at, note=note)
