"""A whole local stack in this process, with a faulty proxy before everything that a function talks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.aws.ports import free_port
from local.stack import Settings, Stack
from tests.support.aws import Aws, StackInfo
from tests.support.machine import ROOT
from tests.support.proxy import FaultProxy, Request
from tests.support.shop import Shop
from tests.support.stripe_servers import Account, local_stripe

FUNCTIONS = (
    "CancelOrderFunction",
    "PublishEventsFunction",
    "RefundOrderFunction",
    "ReconcileRefundsFunction",
    "SendMailFunction",
    "SendGuestCodeFunction",
    "ProcessWithdrawalFunction",
    "ProcessRequestFunction",
    "TakeBackRequestFunction",
    "ValidateConfigFunction",
)
# What is quarters of an hour in production.
QUICK = {
    "ConfigCacheSeconds": "0",
    "ReconcileRate": "rate(2 seconds)",
    "ReconcileAfterSeconds": "2",
    "RefundRetrySeconds": "1",
    "MailRetrySeconds": "1",
    # What every library would say, if it were let.
    "LogLevel": "DEBUG",
}
# A message whose process was killed is delivered again after this; long enough for a cold start on a slow machine.
VISIBLE_SECONDS = 3


@dataclass
class World:
    """`proxies`: before AWS, one for each function. `stripe`: before the payment provider, and `account` behind it."""

    stack: Stack
    aws: Aws
    proxies: dict[str, FaultProxy]
    stripe: FaultProxy
    account: Account

    @property
    def url(self) -> str:
        return self.stack.gateway.url

    def kill(self, function: str, asked: Request | None = None) -> None:
        """Ends every process of a function, there and then. `asked`: only the one that sent this request."""
        assert self.stack.runtime
        runtime, name = self.stack.runtime, self.stack.template.name(function)
        trace = asked.headers.get("x-amzn-trace-id") if asked else None
        # A request to a payment provider has no such header: any of the function's processes may have sent it.
        if trace is None or not runtime.kill(name, trace):
            runtime.kill(name)

    def shop(self) -> Shop:
        opened = Shop(self.aws, self.url)
        opened.configure()
        return opened


def about(operation: str, *words: str) -> Callable[[Request], bool]:
    """Whether a request is this operation, and names one of these (an order, a payment) where any is given."""

    def match(request: Request) -> bool:
        text = request.path + request.body.decode(errors="replace")
        return _operation(request) == operation and (not words or any(word in text for word in words))

    return match


def _operation(request: Request) -> str:
    """Without the ids that a path has in it."""
    parts = request.operation.split("/")
    return "/".join("{id}" if part[:3] in ("pi_", "re_", "ch_") else part for part in parts)


def operations(proxy: FaultProxy, *words: str) -> list[str]:
    """What was asked for, in order, in requests that name one of the words."""
    return [
        _operation(one.request)
        for one in list(proxy.seen)
        if any(word in one.request.path + one.request.body.decode(errors="replace") for word in words)
    ]


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as open_until_then:
        stripe_url = open_until_then.enter_context(local_stripe(Path(tmp_path_factory.mktemp("stripe"))))
        aws_port = free_port()
        proxies = {
            name: open_until_then.enter_context(FaultProxy(f"http://127.0.0.1:{aws_port}")) for name in FUNCTIONS
        }
        stripe = open_until_then.enter_context(FaultProxy(stripe_url))
        extra: dict[str, dict[str, Any]] = {
            name: dict.fromkeys(
                ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"), proxy.url
            )
            for name, proxy in proxies.items()
        }
        settings = Settings(port=0, aws_port=aws_port, stripe_url=stripe.url, parameters=QUICK, extra_environment=extra)
        stack = Stack(ROOT / "template.yaml", settings)
        open_until_then.callback(stack.stop)
        stack.start()
        stack.ready()
        aws = Aws(StackInfo.of(stack.description))
        open_until_then.callback(aws.close)
        for queue in ("RefundQueue", "MailQueue", "GuestCodeQueue", "GuestMailQueue"):
            aws.sqs.set_queue_attributes(
                QueueUrl=stack.services.queues[queue], Attributes={"VisibilityTimeout": str(VISIBLE_SECONDS)}
            )
        yield World(stack, aws, proxies, stripe, Account(stripe_url))


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """A store with a customer; what was planned on the proxies for it is over afterwards."""
    opened = world.shop()
    yield opened
    opened.close()
    for proxy in (*world.proxies.values(), world.stripe):
        proxy.clear()
