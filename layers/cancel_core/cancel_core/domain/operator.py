"""The effect of an operator's commands on a refund: retry, give up, settle, returned."""

from __future__ import annotations

from cancel_core.domain.refund_document import AskedLeg, DocumentFailure, RefundDocument


def try_anew(document: RefundDocument, at: str, entry: str) -> RefundDocument:
    """A failed refund, pending again. What its provider has said no to is planned anew, under new keys; what nobody
    has an answer to stays as it was asked for, under the old one.
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
    """A pending refund, failed. What a provider was asked for and has not answered may yet be paid: it stays known."""
    failure = DocumentFailure(code="INVALID_ORDER", message=f"given up: {why}")
    return document.said(at, entry, status="failed", failure=failure, unsettled_since=document.unsettled_since or at)


def settle(document: RefundDocument, at: str, entry: str, by: str, why: str) -> RefundDocument:
    """A failed refund that a person has seen to: `amount` is what providers paid through us, the rest was by hand."""
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
    """A refund that had ended, failed: the provider had paid this leg, and has the money back. A person decides."""
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
