"""What tests of several folders share: an engine with the template's tables, and plain words on what was not run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.aws.services import Services
from local.errors import StartError
from local.guard import Guard
from local.stack import PARAMETERS
from local.template import Template
from tests.parallel import ByFolder
from tests.support.builds import Build, build_for_this_machine
from tests.support.machine import ROOT, functions_python, need, sam_cli

# What the template gives every function, for the tests that call their parts without one.
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "cancel-core")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "cancel-core")

ENGINES = ("moto", "dynamodb-local")
TABLES = {
    "orders": "OrdersTable",
    "config": "ConfigTable",
    "history": "ConfigHistoryTable",
    "refunds": "RefundsTable",
    "mails": "MailsTable",
    "withdrawals": "WithdrawalsTable",
    "access": "AccessTable",
    "limits": "LimitsTable",
    "requests": "RequestsTable",
}
MAILS_ARE_ON = {"MailIdentityArn": PARAMETERS["MailIdentityArn"]}


@dataclass(frozen=True)
class Aws:
    """AWS's services on this machine, with the tables, queues, bus and rules of the template.

    `tables`: names, by "orders", "config", "history" (of the config), "refunds", "mails", "withdrawals", "access",
    "limits", "requests".
    `queues`: URLs, by logical id. `environment`: the variables that point a plain boto3 here. All tests on an engine
    share one: each works on orders and customers of its own.
    """

    template: Template
    endpoint_url: str
    dynamodb_endpoint_url: str
    tables: Mapping[str, str]
    queues: Mapping[str, str]
    environment: Mapping[str, str]
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client; `config` is botocore's. It is closed when the tests are over."""
        on_dynamodb = service in {"dynamodb", "dynamodbstreams"}
        made = boto3.client(
            service,  # type: ignore[call-overload]  # any service, by name: the overloads know constants alone
            endpoint_url=self.dynamodb_endpoint_url if on_dynamodb else self.endpoint_url,
            region_name=self.template.region,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(**config),
        )
        self._open.enter_context(closing(made))
        return made


@pytest.fixture(scope="session")
def build() -> Build:
    """What is deployed, built here."""
    functions_python()
    return build_for_this_machine(ROOT, sam_cli(), ROOT / ".aws-sam-test")


@pytest.fixture(scope="session", params=ENGINES)
def aws(request: pytest.FixtureRequest) -> Iterator[Aws]:
    """moto's server, and the same with AWS's own DynamoDB Local in it where Java and npm are there."""
    yield from serve(request.param)


def serve(engine: str) -> Iterator[Aws]:
    """Starts what `engine` names, hands it over, and stops it."""
    template = Template(ROOT / "template.yaml", MAILS_ARE_ON)
    guard = Guard()
    services = Services(template, guard)
    try:
        try:
            services.start(0, dynamodb_local=engine == "dynamodb-local")
        except StartError as error:
            need(engine != "dynamodb-local", f"AWS's DynamoDB Local can't be started: {error}.")
            raise
        services.create()
        with ExitStack() as clients:
            yield Aws(
                template=template,
                endpoint_url=services.endpoint_url,
                dynamodb_endpoint_url=services.dynamodb_endpoint_url,
                tables={name: template.name(logical_id) for name, logical_id in TABLES.items()},
                queues=services.queues,
                environment=services.environment(),
                _open=clients,
            )
    finally:
        services.stop()
        guard.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """For `pytest -n 3`."""
    return ByFolder(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end what this machine could not run, and why, each reason once."""
    skipped = Counter(_reason(report) for report in terminalreporter.getreports("skipped"))
    if skipped:
        terminalreporter.section("not run on this machine")
        for reason, number in sorted(skipped.items()):
            terminalreporter.line(f"{number:4} tests: {reason}")


def _reason(report: Any) -> str:
    """Of a test that was skipped: the text that it, or a fixture of it, gave."""
    *_, reason = report.longrepr if isinstance(report.longrepr, tuple) else (str(report.longrepr),)
    return str(reason).removeprefix("Skipped: ")
