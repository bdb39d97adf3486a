"""A payment server that follows Stripe's API reference for what a shop and this product use of it, and keeps state.

It stands behind the tests and behind `make run`. What belongs here: what the reference says of payment methods, tokens,
customers, PaymentIntents, charges and refunds, of idempotency keys, errors, `expand`, pages and metadata; and the means
to have it misbehave as Stripe may. It must know nothing of cancel-core, and needs the standard library alone.

    python -m local.stripe PORT                  # on 127.0.0.1, until it is killed
    with StripeServer() as server:               # local.stripe.server; in this process, on a free port
        server.url, server.state

`service` takes a request (its key, its faults, its idempotency), `routes` names the endpoint, which is in `intents`,
`charges`, `refunds` or `wallets` and works on `objects`; `views` shows them. `state` holds it all; `server` speaks
HTTP.

**Accounts.** The text of the key decides: `sk_test_X` and `rk_test_X` are the account X in test mode, `sk_live_X` the
same account in live mode. What belongs to another account or mode is missing (404).

**Control.** Each is a method of `State` and a path, with the arguments as a JSON object. It answers 200 with a JSON
object, or 400 with an `error`. No key is needed. `payment` is the id of an intent or of a charge.

    POST /control/pay {id, captured, authorized, currency, open, charge, metadata, refunds, account, live}
        makes a payment under any id: with `pi_` an intent with a charge behind it, else a charge. `authorized` is what
        was captured, unless it is given; nothing captured: it waits for its capture. `open`: captured in part, and more
        may be. `refunds`: as below. Answers {"pay": id}.
    POST /control/refunds_become {payment, status, then, after, failure_reason, pending_reason}
        of refunds to come: `status` at once, `then` after `after` seconds (60) of the server's clock.
    POST /control/set_refund {refund, status, failure_reason, pending_reason}
        whatever it was before. Answers the refund.
    POST /control/dispute {payment, status}         opens one ("needs_response"); refunds are refused until it is "won"
    POST /control/expire {payment, unseen}          ends its authorization; `unseen`: only who captures is told
    POST /control/balance {available, short, account, live}
        what there is for refunds (null: enough). `short`: the code of the refusal of more, or "pending".
    POST /control/fault {kind, method, path, contains, times, skip, seconds, done, hang_up, saved, status, body,
                         headers}
        for the next `times` requests of `method` (any) whose whole path matches the regular expression `path` (any) and
        that have `contains` in path, query or body, after `skip` of them. Faults are taken in the order they came in.
        kind "500"      answers it, and saves it under the key; nothing is done unless `done`
             "402"      the card is declined; saved under the key, nothing is done
             "503", "429", "409"   answers it; nothing is done, nothing saved
             "json"     answers `status` and `body` with `headers`; nothing is done; saved where `saved`
             "slow"     waits `seconds` or to be told to land, then does it and answers; the key is in use meanwhile
             "lost"     does it, saves the answer, breaks off without it
             "dropped"  breaks off; nothing is done
             "late"     does not answer (`hang_up`: breaks off at once), and does it after `seconds` or, without them,
                        when told to land; the key is in use meanwhile
    GET  /control/planned                           {"planned": how many faults are to come}
    POST /control/clear_faults                      none are; what is kept back is never done
    GET  /control/kept_back                         {"kept_back": how many requests are late or slow}
    POST /control/land                              does all that is kept back; then {"land": how many}
    POST /control/advance {seconds}                 moves the clock. Keys last a day, authorizations a week.
    POST /control/forget_keys                       as after a day
    GET  /control/totals                            by payment (the intent's id, else the charge's): account, live,
        charge, currency, status, authorized, captured, capturable, released, refunds (how many), given_back (succeeded
        or may yet), and the sums succeeded, pending, requires_action, failed, canceled. Releases are none of these.
    POST /control/reset                             forgets everything; so does DELETE /_config/data

**Otherwise than Stripe.** Cards alone; no 3-D Secure, payouts, webhooks, Connect, fees or searches; `created` does not
filter lists; minimum amounts are not asked for; the balance is a number that refunds are taken from, and that nothing
is paid into. A PaymentIntent of which a part was captured may be cancelled, which releases the rest; the reference does
not say. Ids have no account in them.
"""
