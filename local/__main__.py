"""``python -m local``: the stack in the foreground, until Ctrl-C. See local/README.md."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from local import demo
from local.errors import StartError
from local.stack import Settings, Stack

ROOT = Path(__file__).resolve().parent.parent


def _settings() -> Settings:
    """From the environment. Raises StartError for invalid values."""

    def port(name: str, default: int) -> int:
        text = os.environ.get(name) or str(default)
        if not text.isdecimal() or int(text) > 65535:
            raise StartError(f"{name}={text} is not a port number")
        return int(text)

    engine = os.environ.get("DYNAMODB", "")
    if engine not in ("", "local", "moto"):
        raise StartError(f"DYNAMODB={engine} is not supported: use local, or leave it out")

    def parameter(name: str, variable: str) -> dict[str, str]:
        seconds = os.environ.get(variable, "")
        if seconds and not seconds.isdecimal():
            raise StartError(f"{variable}={seconds} is not a number of seconds")
        return {name: seconds} if seconds else {}

    return Settings(
        port=port("PORT", 3000),
        aws_port=port("AWS_PORT", 4566),
        dynamodb_local=engine == "local",
        stripe_url=os.environ.get("STRIPE_URL", ""),
        parameters=parameter("ConfigCacheSeconds", "CONFIG_CACHE_SECONDS")
        | parameter("ReconcileAfterSeconds", "RECONCILE_AFTER_SECONDS"),
    )


def _tell(stack: Stack, seconds: float, *, with_demo: bool) -> None:
    url, described = stack.gateway.url, stack.description
    lines = [
        "",
        f"cancel-core is ready after {seconds:.1f} s.",
        f"  Shop       {url}/   (the shop's pages, in your browser)",
        f"  Mails      {url}/local/mails/   (what was sent; nothing leaves this machine)",
        f"  API        {url}   (its reference: {url}/local/docs)",
        f"  AWS        {described['endpoint_url']}   (region {described['region']}, any credentials)",
        f"  DynamoDB   {described['dynamodb_endpoint_url']}",
        f"  Stripe     {described['stripe_url']}   (the payment server of local/stripe)",
        f"  Tables     {', '.join(described['tables'].values())}",
        f"  Event bus  {described['event_bus']}",
        f"  All of it  {url}/local/stack",
    ]
    if with_demo:
        lines += [
            "",
            f"Without a browser, as the demo customer {demo.ANNA} (the others: {demo.BJORN}, {demo.CELINE}):",
            "",
            f"  TOKEN={stack.issuer.token(demo.ANNA)}",
            f"  curl {url}/cancellation-reasons",
            f'  curl -H "Authorization: Bearer $TOKEN" {url}/orders',
            f'  curl -H "Authorization: Bearer $TOKEN" {url}/orders/demo-paid/cancellation-eligibility',
            '  curl -H "Authorization: Bearer $TOKEN" -H "Idempotency-Key: first-try" \\',
            f"""       --json '{{"reason": "no_longer_needed"}}' {url}/orders/demo-paid/cancellation""",
            f'  curl -H "Authorization: Bearer $TOKEN" {url}/orders/demo-paid/cancellation',
            "",
            f"As a guest, {demo.GUEST}, who has not signed in; the code is in the mail:",
            "",
            f"""  curl --json '{{"order_id": "demo-guest-paid", "email": "{demo.GUEST}"}}' {url}/guest-access""",
            f"""  curl --json '{{"order_id": "demo-guest-paid", "code": "the code"}}' {url}/guest-access/token""",
            f'  curl -H "Authorization: Bearer the-token" {url}/guest/order',
            "",
            "A token for another customer:",
            "",
            f"""  curl --json '{{"customer_id": "{demo.BJORN}"}}' {url}/local/tokens""",
        ]
    print("\n".join([*lines, "", "Ctrl-C stops it.", ""]), flush=True)


def _interrupted(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """The exit code: 0 when it was told to stop, 1 when it could not start or one of its services ended."""
    started = time.monotonic()
    arguments = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    arguments.add_argument(
        "--ready-file",
        type=Path,
        help="written whole, as JSON, once all is ready: what GET /local/stack answers, and url",
    )
    arguments.add_argument("--no-demo", action="store_true", help="leave the tables empty")
    options = arguments.parse_args()
    # Both explicitly: in a background process of a script, Python would ignore SIGINT.
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _interrupted)
    stack = None
    try:
        stack = Stack(ROOT / "template.yaml", _settings())
        stack.start()
        described = stack.description
        if not options.no_demo:
            demo.seed(
                stack.services.dynamodb,
                described["tables"]["orders"],
                described["tables"]["config"],
                demo.stripe_orders(stack.services.stripe_url),
            )
        stack.ready()
        _tell(stack, time.monotonic() - started, with_demo=not options.no_demo)
        if options.ready_file:
            unfinished = options.ready_file.with_suffix(".part")
            unfinished.write_text(json.dumps({"url": stack.gateway.url, **described}))
            unfinished.replace(options.ready_file)
        while not (died := stack.services.died()):
            time.sleep(0.5)
        raise StartError(f"{died} has stopped unexpectedly")
    except StartError as error:
        print(f"cancel-core: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        # A second Ctrl-C must not interrupt the shutdown.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if stack:
            stack.stop()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Everything is stopped; blocked threads must not keep the process alive.
    os._exit(code)
