"""GET /orders: the caller's orders, newest first."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.cursor import read_cursor
from cancel_core.entrypoints.http.order_list import page_view
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer

list_orders = wiring.list_orders()


@api
def handler(request: ApiRequest) -> Answer:
    customer_id = request.customer_id(wiring.customer_claim())
    limit = request.limit()
    page = list_orders(customer_id, limit, read_cursor(request.query("cursor"), customer_id))
    return Answer(page_view(page, customer_id, request.received))
