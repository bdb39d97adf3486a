"""GET /cancellation-reasons: the reasons that a store lets its customers choose from. Open to anyone, and cacheable."""

from typing import Any

from cancel_core import wiring
from cancel_core.api import ApiRequest, api, cached
from cancel_core.policy import DEFAULT_STORE
from cancel_core.views import reasons_view

wiring.policies()


@api
def handler(request: ApiRequest) -> dict[str, Any]:
    policy = wiring.policies().get(request.query("store_id") or DEFAULT_STORE)
    return cached(request, reasons_view(policy), wiring.config_cache_seconds())
