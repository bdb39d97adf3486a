"""The effect of an operator's commands on a refund: retry, give up, settle, returned."""

from __future__ import annotations

from cancel_core.domain.refund_document import AskedLeg, DocumentFailure, RefundDocument


def try_anew(document: RefundDocument, at: str, entry: str) -> RefundDocument:
    """A failed refund, pending again. Legs that their provider has refused are planned again, under new keys; legs
    without an answer keep their amount and key.
    """
    declined = tuple(leg for leg in document.payments if not leg.may_have_moved)
    return document.said(
        at,
        entry,
        status="pending",
        payments=tuple(leg for leg in document.payments if leg.may_have_moved),
        earlier_tries=(*document.earlier_tries, *declined),
        failure=None,
        last_error=None,
        unsettled_since=at,
    )


def give_up(document: RefundDocument, at: str, entry: str, why: str) -> RefundDocument:
    """A pending refund, failed. Legs without an answer from their provider may still be paid: they stay in the
    document.
    """
    failure = DocumentFailure(code="INVALID_ORDER", message=f"given up: {why}")
    return document.said(at, entry, status="failed", failure=failure, unsettled_since=document.unsettled_since or at)


def settle(document: RefundDocument, at: str, entry: str, by: str, why: str) -> RefundDocument:
    """A failed refund that a person has settled: `amount` is what providers paid through us, the rest was by hand."""
    paid = document.paid()
    return document.said(
        at,
        entry,
        status="succeeded",
        amount=paid,
        settled_by_hand=max(0, (document.shown or document.amount) - paid - document.credited_by_shop),
        failure=None,
        last_error=None,
        unsettled_since=None,
        settled={"at": at, "by": by, "why": why},
    )


def returned(document: RefundDocument, leg: AskedLeg, at: str, entry: str, why: str) -> RefundDocument:
    """A refund that had ended, failed: the provider paid this leg and got the money back. A person decides."""
    failure = DocumentFailure(code="PROVIDER_DECLINED", message=f"{leg.payment_id}: the money has come back: {why}")
    back = leg.model_copy(update={"status": "failed", "is_returned": True})
    return document.with_leg(back, at, entry).model_copy(
        update={
            "status": "failed",
            "failure": failure,
            "settled": None,
            "unsettled_since": document.unsettled_since or at,
        }
    )
