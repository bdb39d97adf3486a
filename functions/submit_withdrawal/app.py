"""POST /withdrawals: stores a statement of withdrawal, without authentication."""

from cancel_core import wiring
from cancel_core.entrypoints.http.api import api
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer
from cancel_core.entrypoints.http.withdrawals import AnyonesBody, submitted

submit_withdrawal = wiring.submit_withdrawal()


@api
def handler(request: ApiRequest) -> Answer:
    asked = request.withdrawal_request(AnyonesBody)
    return submitted(asked, submit_withdrawal(asked))
