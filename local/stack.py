"""The stack itself: everything the template declares, started, joined and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.services import Services
from local.errors import StartError
from local.event_sources.queues import QueueSource
from local.event_sources.schedule import Timer
from local.event_sources.stream import StreamSource
from local.gateway.server import Gateway, invoker
from local.gateway.tokens import Issuer
from local.guard import Guard
from local.output import say
from local.runtime.function import Function, Result
from local.runtime.runtime import Runtime
from local.template import ACCOUNT, Template

# The values of the template's parameters here. The issuer is fictitious: its key is made at start. No mail is sent.
PARAMETERS = {
    "JwtIssuer": "https://issuer.localhost",
    "ReconcileRate": "rate(15 seconds)",
    "ReconcileAfterSeconds": "30",
    "MailIdentityArn": f"arn:aws:ses:eu-north-1:{ACCOUNT}:identity/example.com",
}


@dataclass(frozen=True)
class Settings:
    """``parameters`` override the template's, after PARAMETERS. Port 0: a free one. ``extra_environment``: by logical
    id."""

    port: int = 3000
    aws_port: int = 4566
    dynamodb_local: bool = False
    stripe_url: str = ""
    parameters: Mapping[str, str] | None = None
    extra_environment: Mapping[str, Mapping[str, str]] | None = None


def functions_of(template: Template, environment: Mapping[str, str]) -> dict[str, Function]:
    """The template's functions from the sources, by logical id; ``environment`` goes on top of the template's."""
    layers = template.resources("AWS::Serverless::LayerVersion")
    found = {}
    for name, properties in template.functions().items():
        log = properties.get("LoggingConfig", {})
        variables = {key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()}
        if log.get("LogFormat") == "JSON":
            variables |= {
                "AWS_LAMBDA_LOG_FORMAT": "JSON",
                "AWS_LAMBDA_LOG_LEVEL": log.get("ApplicationLogLevel", "INFO"),
            }
        found[name] = Function(
            template.name(name),
            template.root / properties["CodeUri"],
            properties["Handler"],
            path=tuple(
                template.root / layers[template.logical_id(layer)]["ContentUri"]
                for layer in properties.get("Layers", [])
            ),
            environment={**variables, **environment},
            timeout=float(properties.get("Timeout", 3)),
            memory=int(properties.get("MemorySize", 128)),
            region=template.region,
            account=ACCOUNT,
        )
    return found


def _caller(runtime: Runtime, function: Function) -> Callable[[Any], Result]:
    return lambda event: runtime.invoke(function.name, event)


class Stack:
    """``start`` returns when all is ready; ``description`` is then what GET /local/stack answers."""

    def __init__(self, template: Path, settings: Settings) -> None:
        self._settings = settings
        self.template = Template(template, {**PARAMETERS, **(settings.parameters or {})})
        (api,) = self.template.resources("AWS::Serverless::HttpApi").values()
        authorizer = api["Auth"]["Authorizers"][api["Auth"]["DefaultAuthorizer"]]["JwtConfiguration"]
        self.issuer = Issuer(authorizer["issuer"], authorizer["audience"], self.template.parameters["CustomerClaim"])
        try:
            # Bound before anything is started, so that a port in use is noticed early. It answers 503 until all is
            # ready.
            self.gateway = Gateway(settings.port, self.template.routes(), api.get("CorsConfiguration", {}), self.issuer)
        except OSError as error:
            raise StartError(
                f"port {settings.port} is in use: stop what uses it, or choose another with PORT="
            ) from error
        if not self.template.parameters["GuestPageUrl"]:
            # The port may have been chosen just now.
            self.template.parameters["GuestPageUrl"] = f"{self.gateway.url}/guest.html"
        self._guard = Guard()
        self.services = Services(self.template, self._guard)
        self._stop = threading.Event()
        self.runtime: Runtime | None = None

    def start(self) -> None:
        """Raises StartError. Call ``stop`` in any case."""
        template, services = self.template, self.services
        threading.Thread(target=self.gateway.server.serve_forever, daemon=True).start()
        settings = self._settings
        services.start(settings.aws_port, dynamodb_local=settings.dynamodb_local, stripe_url=settings.stripe_url)
        services.create()
        functions = functions_of(template, services.environment())
        names = {logical_id: function.name for logical_id, function in functions.items()}
        extra = {
            names[logical_id]: variables for logical_id, variables in (self._settings.extra_environment or {}).items()
        }
        prefix = f"{template.stack}-"
        self.runtime = runtime = Runtime(
            functions.values(), extra_environment=extra, guard=self._guard,
            log=lambda name, line: say(f"{name.removeprefix(prefix)} | {line}"),
        )  # fmt: skip
        # For fast first answers, the first environment of each invoked function is started now.
        called = {route.function for route in template.routes()} | {
            template.logical_id(mapping["FunctionName"])
            for mapping in template.resources("AWS::Lambda::EventSourceMapping").values()
        }
        warming = [
            threading.Thread(target=runtime.warm, args=(name,), daemon=True)
            for key, name in names.items()
            if key in called
        ]
        for thread in warming:
            thread.start()
        self._connect(functions, runtime)
        for thread in warming:
            thread.join()
        self.gateway.invoke = invoker(runtime, names)

    def ready(self) -> None:
        """From here on GET /local/stack answers 200, and the routes are served."""
        self.gateway.stack = self.description

    def _connect(self, functions: Mapping[str, Function], runtime: Runtime) -> None:
        template, services = self.template, self.services
        workers: list[StreamSource | QueueSource | Timer] = []
        for mapping in template.resources("AWS::Lambda::EventSourceMapping").values():
            function = functions[template.logical_id(mapping["FunctionName"])]
            invoke = _caller(runtime, function)
            if ":dynamodb:" in mapping["EventSourceArn"]:
                workers.append(
                    StreamSource(mapping, template.region, services.streams, services.sqs, invoke, function.arn)
                )
            else:
                workers.append(QueueSource(mapping, template.region, services.sqs, invoke, function.concurrency))
        workers += [
            Timer(schedule.name, schedule.seconds, template.region, _caller(runtime, functions[schedule.function]))
            for schedule in template.schedules()
        ]
        for worker in workers:
            threading.Thread(target=worker.run, args=(self._stop,), daemon=True).start()

    @property
    def description(self) -> dict[str, Any]:
        """What GET /local/stack answers."""
        template, services = self.template, self.services
        (bus,) = template.resources("AWS::Events::EventBus").values()
        tables = {
            name.removesuffix("Table").lower(): template.name(name)
            for name in template.resources("AWS::DynamoDB::Table")
        }
        return {
            "endpoint_url": services.endpoint_url,
            "dynamodb_endpoint_url": services.dynamodb_endpoint_url,
            "stripe_url": services.stripe_url,
            "region": template.region,
            "tables": {key: name for key, name in tables.items() if not key.endswith("history")},
            "history_tables": {
                key.removesuffix("history"): name for key, name in tables.items() if key.endswith("history")
            },
            "event_bus": bus["Name"],
            "queues": services.queues,
            "functions": [template.name(name) for name in template.functions()],
        }

    def stop(self) -> None:
        """Everything that was started is gone when this returns."""
        self._stop.set()
        if self.runtime:
            self.runtime.stop()
        self.services.stop()
        self._guard.stop()
        self.gateway.server.server_close()
