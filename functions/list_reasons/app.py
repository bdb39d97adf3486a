"""GET /cancellation-reasons: the reasons that a store lets its customers choose from. Open to anyone, and cacheable."""

from cancel_core import wiring
from cancel_core.api import Answer, ApiRequest, api, public
from cancel_core.policy import DEFAULT_STORE
from cancel_core.views import reasons_view

wiring.policies()


@api
def handler(request: ApiRequest) -> Answer:
    policy = wiring.policies().get(request.query("store_id") or DEFAULT_STORE)
    return Answer(reasons_view(policy), public(wiring.config_cache_seconds()))
