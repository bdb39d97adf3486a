"""POST /orders/{order_id}/cancellation: cancels one of the caller's orders. Its refund follows by itself."""

from cancel_core import clock, wiring
from cancel_core.api import Answer, ApiRequest, api
from cancel_core.cancel import cancel_order
from cancel_core.telemetry import logger

wiring.orders()


@api
def handler(request: ApiRequest) -> Answer:
    cancel = request.cancel_request(wiring.customer_claim())
    canceled = cancel_order(wiring.orders(), wiring.policies(), cancel, clock.now())
    logger.append_keys(cancellation_id=canceled.stored.cancellation_id)
    return Answer(canceled.view(), {"idempotency-replayed": "true"} if canceled.replayed else {})
