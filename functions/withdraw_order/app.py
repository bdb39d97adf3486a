"""POST /orders/{order_id}/withdrawal: stores a customer's statement of withdrawal for one of the caller's orders."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer
from cancel_core.entrypoints.http.withdrawals import CustomersBody, submitted

withdraw_order = wiring.withdraw_order()


@api
def handler(request: ApiRequest) -> Answer:
    asked = request.withdrawal_request(CustomersBody)
    customer = request.customer(wiring.customer_claim())
    return submitted(asked, withdraw_order(asked, request.order_id_of(customer), customer))
