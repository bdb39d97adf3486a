"""The AWS services the stack stands on: moto's server, or AWS's DynamoDB Local with moto beside it, and what the
template puts there.

All state is in memory and gone when they stop. Both listen for plain boto3: ``Services.endpoint_url``,
``.dynamodb_endpoint_url``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from local.aws.dynamodb_local import dynamodb_local_command, install_dynamodb_local
from local.aws.ports import free_port, require_free, wait_for
from local.errors import StartError
from local.guard import Guard
from local.template import Template

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_sesv2 import SESV2Client
    from types_boto3_sqs import SQSClient


# The payment server takes whatever looks like a key; put together here so that no scanner takes it for one.
STRIPE_KEY = "sk_" + "test_" + "local"


class Services:
    """``start`` the processes, ``create`` what the template declares; the clients are ready in between.

    ``moto`` is what Python is given to run moto's server; the port comes after it.
    """

    def __init__(self, template: Template, guard: Guard, moto: Sequence[str] = ("-m", "local.aws.moto_server")) -> None:
        self._template, self._guard, self._moto = template, guard, tuple(moto)
        self._processes: list[subprocess.Popen[str]] = []
        self.endpoint_url = self.dynamodb_endpoint_url = self.stripe_url = ""
        self.queues: dict[str, str] = {}

    def start(self, port: int, *, dynamodb_local: bool = False, stripe_url: str = "") -> None:
        """Raises StartError. ``port`` 0 takes a free one. With ``stripe_url`` the Stripe that is there is used."""
        if port:
            require_free(port, "AWS_PORT")
        moto = self._run([sys.executable, *self._moto, str(port)], self._template.root)
        java = None
        if dynamodb_local:
            folder, dynamodb_port = install_dynamodb_local(self._template.root), free_port()
            java = self._run(dynamodb_local_command(dynamodb_port), folder)
        stripe = None
        self.stripe_url = stripe_url
        if not stripe_url:
            stripe_port = free_port()
            self.stripe_url = f"http://127.0.0.1:{stripe_port}"
            stripe = self._run([sys.executable, "-m", "local.stripe", str(stripe_port)], self._template.root)
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
            wait_for(dynamodb_port, java, "DynamoDB Local")
        if stripe:
            wait_for(stripe_port, stripe, "the payment server")
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
        self.ses: SESV2Client = client("sesv2", self.endpoint_url)

    def create(self) -> None:
        """Tables, queues, buses, rules and SES's identity, as the template has them, and the secret with Stripe's key.

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
        if identity := template.parameters.get("MailIdentityArn"):
            self.ses.create_email_identity(EmailIdentity=identity.rpartition("/")[2])
        for name in template.resources("AWS::SES::ConfigurationSet"):
            self.ses.create_configuration_set(ConfigurationSetName=template.name(name))
        topics = template.resources("AWS::SNS::Topic")
        for name, rule in template.resources("AWS::Events::Rule").items():
            bus_name, pattern = rule.get("EventBusName", "default"), json.dumps(rule["EventPattern"])
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
            # In this order: once a process is waited for, its id may be another's, and the guard must not kill that.
            self._guard.forget(process.pid)
            process.wait()

    def _run(self, command: list[str], folder: Path) -> subprocess.Popen[str]:
        # moto tells its port on stdout; the others greet and chat there. Complaints go to stderr, the terminal's.
        moto = self._moto == tuple(command[1:-1])
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if moto else subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._guard.watch(process.pid)
        self._processes.append(process)
        return process
