from __future__ import annotations

from cancel_core.domain.ids import PENDING_SHARDS, cancellation_id, pending_since

AT = "2026-11-27T10:00:00Z"


def test_refunds_that_pend_since_the_same_second_are_spread_over_all_keys_of_their_index() -> None:
    ids = [cancellation_id(f"order-{n}", AT) for n in range(20 * PENDING_SHARDS)]

    keys = {pending_since(one, AT) for one in ids}

    assert len(keys) == PENDING_SHARDS
    assert {key.partition("#")[0] for key in keys} == {AT}
