"""template.yaml, read once: CloudFormation's tags, parameters, conditions and functions resolved to local names and
ARNs.

It supports what the template uses, and raises an error that names anything else, so that the local stack never runs
something other than what is deployed. Refs resolve to local names: a table is ``<stack>-<logical id>``, a bus its Name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "123456789012"


class TemplateError(Exception):
    """The template uses something that the local stack does not support."""


class _Loader(yaml.SafeLoader):
    """Knows the short forms: ``!Sub x`` is ``{"Fn::Sub": x}``. Dates stay strings (policy versions)."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # an attribute of PyYAML's, which declares it without ClassVar
        key: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:timestamp"]
        for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third and last kind of node there is
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def read(path: Path) -> dict[str, Any]:
    """A template as it is written, with CloudFormation's short forms expanded."""
    document: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506  # a SafeLoader: plain data alone
    return document


_NO_VALUE = object()

_PLAIN: dict[str, Callable[[Any], Any]] = {
    "Fn::Equals": lambda pair: pair[0] == pair[1],
    "Fn::Not": lambda one: not one[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Select": lambda given: given[1][int(given[0])],
    "Fn::Split": lambda given: given[1].split(given[0]),
    "Fn::Join": lambda given: given[0].join(given[1]),
}


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API. ``scopes`` of a route with an authorizer: a token must hold one of them, if there are
    any."""

    method: str
    path: str
    function: str
    authorized: bool
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Schedule:
    """``rate(…)`` in seconds, and the logical id of the function it starts."""

    name: str
    function: str
    seconds: float


class Template:
    """``resources(type)`` gives properties with everything resolved. ``attributes`` are GetAtts that are known
    once a resource exists. Its creator sets them: ``template.attributes["OrdersTable", "StreamArn"] = ...``."""

    def __init__(
        self,
        path: Path,
        parameters: Mapping[str, str] | None = None,
        *,
        stack: str = "cancel-core",
        region: str = "eu-north-1",
    ) -> None:
        document = read(path)
        self.root = path.resolve().parent
        self.stack, self.region = stack, region
        self.attributes: dict[tuple[str, str], str] = {}
        self._resources: dict[str, Any] = document["Resources"]
        self._conditions: dict[str, Any] = document.get("Conditions", {})
        self._globals: dict[str, Any] = document.get("Globals", {}).get("Function", {})
        self.parameters: dict[str, Any] = {}
        for name, declared in document.get("Parameters", {}).items():
            value = (parameters or {}).get(name, declared.get("Default", ""))
            self.parameters[name] = str(value).split(",") if declared["Type"] == "CommaDelimitedList" else str(value)
        if unknown := set(parameters or {}) - set(self.parameters):
            raise TemplateError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")

    # ------------------------------------------------------------------ reading

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id -> resolved properties of every resource of this type whose condition holds."""
        return {
            name: self.resolve(resource.get("Properties", {}))
            for name, resource in self._resources.items()
            if resource["Type"] == kind and self._exists(resource)
        }

    def functions(self) -> dict[str, dict[str, Any]]:
        """Logical id -> resolved properties of each function, with Globals merged in as SAM does: mappings key by key,
        lists one after the other, and everything else overridden."""
        merged = self.resolve(self._globals)
        return {name: _merge(merged, own) for name, own in self.resources("AWS::Serverless::Function").items()}

    def name(self, logical_id: str) -> str:
        """The local name of a resource."""
        return f"{self.stack}-{logical_id}"

    def logical_id(self, reference: str) -> str:
        """The logical id of a resource from a name or an ARN that a property resolved to."""
        last = re.split(r"[:/]", reference)[-1]
        for logical_id in self._resources:
            if reference == self.attributes.get((logical_id, "StreamArn")) or last == self.name(logical_id):
                return logical_id
        raise TemplateError(f"the template has no resource {reference}")

    def routes(self) -> list[Route]:
        apis = self.resources("AWS::Serverless::HttpApi")
        found = []
        for function, properties in self.functions().items():
            for event in properties.get("Events", {}).values():
                if event["Type"] != "HttpApi":
                    continue
                own = event["Properties"]
                auth = apis[self.logical_id(own["ApiId"])].get("Auth", {}) | own.get("Auth", {})
                authorizer = own.get("Auth", {}).get("Authorizer", auth.get("DefaultAuthorizer", "NONE"))
                scopes: list[str] = []
                if authorizer != "NONE":
                    scopes = own.get("Auth", {}).get(
                        "AuthorizationScopes", auth["Authorizers"][authorizer].get("AuthorizationScopes", [])
                    )
                found.append(Route(own["Method"].upper(), own["Path"], function, authorizer != "NONE", tuple(scopes)))
        return found

    def schedules(self) -> list[Schedule]:
        found = []
        for function, properties in self.functions().items():
            for name, event in properties.get("Events", {}).items():
                if event["Type"] not in ("Schedule", "HttpApi"):
                    raise TemplateError(f"{function}: events of type {event['Type']} are not supported")
                if event["Type"] == "Schedule":
                    found.append(Schedule(f"{function}{name}", function, rate_seconds(event["Properties"]["Schedule"])))
        return found

    # ---------------------------------------------------------------- resolving

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._holds(resource["Condition"])

    def _holds(self, condition: str) -> bool:
        return bool(self.resolve(self._conditions[condition]))

    def resolve(self, value: Any) -> Any:
        """The value with every function in it carried out; ``AWS::NoValue`` takes its key or its place in the list
        away."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or (name == "Condition" and isinstance(argument, str)) or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        # These read the template; _PLAIN only their arguments.
        looking: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self._holds,
            "Fn::GetAtt": lambda path: self._attribute(*path),
            "Fn::If": lambda branches: self.resolve(branches[1 if self._holds(branches[0]) else 2]),
            "Fn::Sub": self._sub,
        }
        if name in looking:
            return looking[name](argument)
        if name in _PLAIN:
            return _PLAIN[name](self.resolve(argument))
        raise TemplateError(f"{name} is not supported")

    def _sub(self, argument: str | list[Any]) -> str:
        text, names = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))

        def put(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in names:
                return str(names[name])
            return str(self._attribute(*name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", put, text)

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": self.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": self.stack,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": _NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        if name.endswith(".Alias"):
            # The transform's own form. There are no versions here: the alias resolves to the function.
            name = name.removesuffix(".Alias")
        if name not in self._resources:
            raise TemplateError(f"{name} is neither a parameter nor a resource")
        if self._resources[name]["Type"] == "AWS::Events::EventBus":
            return self.resolve(self._resources[name]["Properties"]["Name"])
        return self.attributes.get((name, "Ref"), self.name(name))

    def _attribute(self, logical_id: str, attribute: str) -> str:
        if known := self.attributes.get((logical_id, attribute)):
            return known
        kind = self._resources[logical_id]["Type"]
        if kind == "AWS::SQS::Queue" and attribute == "QueueName":
            return self.name(logical_id)
        if attribute == "Arn":
            paths = {
                "AWS::DynamoDB::Table": "dynamodb:{at}:table/",
                "AWS::SQS::Queue": "sqs:{at}:",
                "AWS::Events::EventBus": "events:{at}:event-bus/",
                "AWS::Events::Rule": "events:{at}:rule/",
                "AWS::Serverless::Function": "lambda:{at}:function:",
                "AWS::Logs::LogGroup": "logs:{at}:log-group:",
            }
            if kind in paths:
                # A bus has its own name; a queue's Ref is its URL, but its ARN ends in its name.
                name = self._ref(logical_id) if kind == "AWS::Events::EventBus" else self.name(logical_id)
                return f"arn:aws:{paths[kind]}{name}".format(at=f"{self.region}:{ACCOUNT}")
        return f"{attribute} of {logical_id}, which exists in AWS only"


def _merge(base: Any, own: Any) -> Any:
    if isinstance(base, dict) and isinstance(own, dict):
        return base | {key: _merge(base[key], value) if key in base else value for key, value in own.items()}
    if isinstance(base, list) and isinstance(own, list):
        return base + own
    return own


def rate_seconds(expression: str) -> float:
    """``rate(5 minutes)`` in seconds. Seconds are understood too, which EventBridge does not: the local stack sets
    them."""
    match = re.fullmatch(r"rate\((\d+) (second|minute|hour|day)s?\)", expression)
    if not match:
        raise TemplateError(f"schedule {expression} is not supported")
    return int(match[1]) * {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[match[2]]
