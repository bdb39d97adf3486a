"""The stack on the emulator: deployed by the real sam, from a copy of the sources, and used as its clients would."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
import yaml
from botocore.config import Config

from local.template import read
from ops import deploy
from tests.rehearsal.emulator import REGION, Emulator
from tests.rehearsal.left_out import rehearsed
from tests.support.builds import MACHINES, build_for_this_machine
from tests.support.machine import ROOT
from tests.template.conftest import transform

Json = dict[str, Any]
STACK = "rehearsal"
SOURCES = ("template.yaml", "samconfig.toml", "Makefile", "layers", "functions", "requirements")
# What is set so that waiting takes seconds. All else is as the template has it.
QUICKLY = {
    "ConfigCacheSeconds": "0",
    "RefundRetrySeconds": "1",
    "ReconcileRate": "rate(1 minute)",
    "ReconcileAfterSeconds": "1",
}


@dataclass
class Deployment:
    """`tree`: a copy of the sources, to be changed between deployments. `took`: seconds of each deployment."""

    emulator: Emulator
    tree: Path
    sam: Path
    took: list[float] = field(default_factory=list)
    said: str = ""

    def __post_init__(self) -> None:
        for name in SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.tree / name)

    # --- from sources to a stack --------------------------------------------------------------------------------------

    def deploy(self, **parameters: str) -> None:
        """Builds, stamps and deploys, with a change set, as `make deploy` does; what the live stack has stays."""
        folder = self.tree / ".aws-sam-test"
        built = build_for_this_machine(self.tree, self.sam, folder).template.root
        template = built / "template.yaml"
        subprocess.run(["make", "--silent", "stamp", f"BUILT={template}"], cwd=self.tree, check=True)
        whole = read(template)
        live = deploy.live_values(self.client("cloudformation"), STACK)
        values = deploy.proposals(whole["Parameters"], live, QUICKLY) | parameters
        values["Architecture"] = MACHINES[platform.machine().lower()]
        (built / "rehearsed.yaml").write_text(yaml.safe_dump(rehearsed(whole, values), sort_keys=False))
        command = deploy.commands(STACK, values, confirm=False, sam=[str(self.sam)])[-1]
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--template", "rehearsed.yaml", "--resolve-s3", "--capabilities", "CAPABILITY_IAM"],
            cwd=built,
            env={**os.environ, **self.emulator.environment, "SAM_CLI_TELEMETRY": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.took.append(time.monotonic() - began)
        self.said = done.stdout + done.stderr
        assert done.returncode == 0, self.said

    # --- what is there ------------------------------------------------------------------------------------------------

    def client(self, service: str, **config: Any) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service, by name: the overloads know constants alone
            endpoint_url=self.emulator.url,
            region_name=REGION,
            aws_access_key_id=self.emulator.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.emulator.environment["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=40, **config),
        )

    def resources(self) -> dict[str, Json]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
        return {row["LogicalResourceId"]: row for page in pages for row in page["StackResourceSummaries"]}

    def name(self, logical_id: str) -> str:
        return str(self.resources()[logical_id]["PhysicalResourceId"])

    def output(self, key: str) -> str:
        found = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
        return str(next(one["OutputValue"] for one in found if one["OutputKey"] == key))

    def get(self, table: str, **key: str) -> Json:
        """An item in DynamoDB's own JSON; empty if it is not there."""
        wanted = {name: {"S": value} for name, value in key.items()}
        item: Json = (
            self.client("dynamodb")
            .get_item(TableName=self.name(table), Key=wanted, ConsistentRead=True)
            .get("Item", {})
        )
        return item

    def put(self, table: str, item: Json) -> None:
        self.client("dynamodb").put_item(TableName=self.name(table), Item=item)

    def put_order(self, order_id: str, customer_id: str) -> None:
        """The paid order of the payloads, all of it invoiced, under another id."""
        image = json.loads((ROOT / "events/publish_events.json").read_text())["Records"][0]["dynamodb"]["OldImage"]
        self.put("OrdersTable", image | {"order_id": {"S": order_id}, "customer_id": {"S": customer_id}})

    def status(self, order_id: str) -> str:
        return str(self.get("OrdersTable", order_id=order_id).get("status", {}).get("S", ""))

    # --- using it -----------------------------------------------------------------------------------------------------

    def invoke(self, function: str, event: Json, qualifier: str = "live") -> Json:
        """What a function answers by its alias, a failure of it among them."""
        answer = self.client("lambda").invoke(
            FunctionName=self.name(function), Qualifier=qualifier, Payload=json.dumps(event).encode()
        )
        body = json.loads(answer["Payload"].read() or b"null")
        assert "FunctionError" not in answer, body
        return body if isinstance(body, dict) else {"answer": body}

    def call(self, payload: str, order_id: str = "", customer_id: str = "", **more: Any) -> tuple[int, Json]:
        """Status and document of a route: its function, invoked by the alias with a token's claims."""
        event: Json = json.loads((ROOT / "events" / f"{payload}.json").read_text()) | more
        # Two requests of one id are one: what the other has written would be taken for its own.
        event["requestContext"]["requestId"] = uuid.uuid4().hex
        event["headers"].pop("if-none-match", None)
        event["headers"].pop("accept-encoding", None)
        if order_id:
            event["pathParameters"] = {"order_id": order_id}
            event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] = customer_id
            event["headers"]["idempotency-key"] = f"key-{order_id}"
        function = "".join(word.capitalize() for word in payload.split("_")) + "Function"
        answer = self.invoke(function, event)
        return int(answer["statusCode"]), json.loads(answer["body"])

    def make_routes(self) -> str:
        """The routes and the authorizer of the OpenAPI body that the transform makes, for the emulator makes none of a
        body. The API's address."""
        body = transform(read(ROOT / "template.yaml"))["Resources"]["HttpApi"]["Properties"]["Body"]
        gateway, api = self.client("apigatewayv2"), self.name("HttpApi")
        (name,) = body["components"]["securitySchemes"]
        authorizer = gateway.create_authorizer(
            ApiId=api,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[
                body["components"]["securitySchemes"][name]["x-amazon-apigateway-authorizer"]["identitySource"]
            ],
            JwtConfiguration={"Issuer": self.output("UserPoolIssuer"), "Audience": [self.output("UserPoolClientId")]},
        )["AuthorizerId"]
        for path, operations in body["paths"].items():
            for method, operation in operations.items():
                integration = operation["x-amazon-apigateway-integration"]
                (alias,) = re.findall(r"\$\{(\w+Aliaslive)\}", integration["uri"]["Fn::Sub"])
                made = gateway.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationMethod="POST",
                    IntegrationUri=self.name(alias),
                    PayloadFormatVersion=integration["payloadFormatVersion"],
                )["IntegrationId"]
                signed_in: dict[str, Any] = {}
                if name in operation["security"][0]:
                    # As nothing is given for JwtScopes.
                    pool = [scope["Fn::If"] for scope in operation["security"][0][name]]
                    scopes = [one[1] for one in pool if one[0] == "AskPoolScopes"]
                    signed_in = {"AuthorizationType": "JWT", "AuthorizerId": authorizer, "AuthorizationScopes": scopes}
                gateway.create_route(
                    ApiId=api, RouteKey=f"{method.upper()} {path}", Target=f"integrations/{made}", **signed_in
                )
        return f"{self.emulator.url}/_aws/execute-api/{api}/$default"

    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.emulator.url, timeout=60, trust_env=False)
