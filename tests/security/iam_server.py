"""moto's server with the policies of roles in force: ``python -m tests.security.iam_server REFUSALS PORT``.

For a caller with the credentials of an assumed role, moto checks the signature and the role's current policies. Each
refusal is written to the file REFUSALS, one ``[role, action, resource]`` a line. A caller without such credentials (the
test, in the place of the shop) may do everything.

By itself moto asks for nearly every action on the resource ``*``, so that a policy that names a table allows nothing,
and for ``TransactWriteItems`` as if there were such an action. Here a request asks for what AWS asks for. Sources:
Service Authorization Reference, "Actions, resources, and condition keys" of each service; Amazon DynamoDB Developer
Guide, "Amazon DynamoDB Transactions: How it works" (a transaction needs the actions of its items, and none of its own).
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from email.utils import parseaddr
from pathlib import Path
from typing import Any, NamedTuple

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AccessDeniedError
from moto.iam.access_control import IAMPolicyStatement, IAMRequest, PermissionResult

from local.aws import moto_server
from local.template import ACCOUNT


class Right(NamedTuple):
    """What an IAM policy allows, or a request asks for: an action, on a resource by its ARN."""

    action: str
    resource: str


_IN_TRANSACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


def asked_for(service: str, operation: str, given: dict[str, Any], region: str) -> set[Right]:
    """The rights that a request needs, all of them. What is not known here needs a right that no role has."""

    def arn(of: str, resource: str) -> str:
        return f"arn:aws:{of}:{region}:{ACCOUNT}:{resource}"

    def table(named: dict[str, Any]) -> str:
        index = f"/index/{named['IndexName']}" if "IndexName" in named else ""
        return arn("dynamodb", f"table/{named['TableName']}{index}")

    one = f"{service}:{operation}"
    match service, given:
        case "dynamodb", {"TransactItems": items}:
            pairs = (pair for item in items for pair in item.items())
            return {Right(f"dynamodb:{_IN_TRANSACTIONS[kind]}", table(named)) for kind, named in pairs}
        case "dynamodb", {"RequestItems": tables}:
            return {Right(one, table({"TableName": name})) for name in tables}
        case "dynamodb", {"TableName": _}:
            return {Right(one, table(given))}
        case "dynamodb", {"StreamArn": stream}:
            return {Right(one, stream)}
        case "dynamodb", {"ShardIterator": iterator}:
            return {Right(one, iterator.split("|")[0])}
        case "events", {"Entries": entries}:
            buses = {entry.get("EventBusName", "default").rpartition("/")[2] for entry in entries}
            return {Right(one, arn("events", f"event-bus/{bus}")) for bus in buses}
        case "sqs", {"QueueUrl": url}:
            # A batch is no action of its own.
            return {Right(one.removesuffix("Batch"), arn("sqs", url.rpartition("/")[2]))}
        case "ses", {"FromEmailAddress": sender}:
            # A domain's identity stands for all addresses in it.
            resources = [f"identity/{parseaddr(sender)[1].rpartition('@')[2]}"]
            if "ConfigurationSetName" in given:
                resources.append(f"configuration-set/{given['ConfigurationSetName']}")
            return {Right("ses:SendEmail", arn("ses", resource)) for resource in resources}
        case "secretsmanager", {"SecretId": secret}:
            return {Right(one, secret)}
    return {Right(one, "*")}


_OF_EXPRESSIONS = {
    *("SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "attribute_exists", "attribute_not_exists"),
    *("attribute_type", "if_not_exists", "list_append", "begins_with", "size"),
}


def context_of(service: str, given: dict[str, Any]) -> dict[str, list[str]]:
    """The values of the condition keys that a request comes with. Source: Service Authorization Reference."""
    if service == "events":
        entries = given.get("Entries", [])
        return {
            "events:source": [entry["Source"] for entry in entries if "Source" in entry],
            "events:detail-type": [entry["DetailType"] for entry in entries if "DetailType" in entry],
        }
    names: set[str] = set()
    for one in [given, *(named for item in given.get("TransactItems", []) for named in item.values())]:
        names |= {*one.get("Key", {}), *one.get("Item", {}), *one.get("ExpressionAttributeNames", {}).values()}
        for expression in ("UpdateExpression", "ConditionExpression"):
            names |= set(re.findall(r"(?<![#:\w.])[A-Za-z_]\w*", one.get(expression, ""))) - _OF_EXPRESSIONS
    return {"dynamodb:Attributes": sorted(names)} if service == "dynamodb" else {}


def holds(condition: dict[str, dict[str, Any]], context: dict[str, list[str]]) -> bool:
    """Whether a statement's condition holds. Only the operators that the template has are known."""
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            values = context.get(key, [])
            match operator:
                case "Null":
                    is_met = (not values) == (wanted == "true")
                case "StringEquals":
                    is_met = bool(values) and set(values) <= set(wanted if isinstance(wanted, list) else [wanted])
                case "ForAllValues:StringEquals":
                    is_met = set(values) <= set(wanted if isinstance(wanted, list) else [wanted])
                case _:
                    raise NotImplementedError(operator)
            if not is_met:
                return False
    return True


def _enforce(refusals: Path) -> None:
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    actions: Any = ActionAuthenticatorMixin
    requests: Any = IAMRequest
    now = threading.local()
    statements: Any = IAMPolicyStatement
    by_statement = statements.is_action_permitted

    def permit_where_it_holds(self: Any, *arguments: Any, **named: Any) -> Any:
        # moto takes an Allow whose condition is not met for a Deny; to IAM it says nothing.
        if not holds(self._statement.get("Condition", {}), now.context):
            return PermissionResult.NEUTRAL
        return by_statement(self, *arguments, **named)

    statements.is_action_permitted = permit_where_it_holds
    statements._check_conditions = lambda *_: True
    authorize, permit = actions._authenticate_and_authorize_action, requests.check_action_permitted

    def authorize_roles(self: Any, *arguments: Any) -> None:
        if "X-Amz-Security-Token" in self.headers:
            authorize(self, *arguments)

    def permit_each(self: Any, _resource: str) -> None:
        operation = self._action.partition(":")[2]
        given = json.loads(self._body) if "json" in self._headers.get("Content-Type", "") else {}
        # Of a transaction each item is judged by itself.
        parts = [{"TransactItems": [item]} for item in given.get("TransactItems", [])] or [given]
        for part in parts:
            now.context = context_of(self._service, part)
            for right in asked_for(self._service, operation, part, self._region):
                self._action = right.action
                try:
                    permit(self, right.resource)
                except AccessDeniedError:
                    role = self._access_key.arn.split("/")[1]
                    with refusals.open("a") as told:
                        print(json.dumps([role, *right]), file=told, flush=True)
                    raise

    actions._authenticate_and_authorize_action = authorize_roles
    requests.check_action_permitted = permit_each


if __name__ == "__main__":
    # AWS has a queue purged once a minute at most; the tests want it empty before each.
    os.environ["MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR"] = "false"
    _enforce(Path(sys.argv[1]))
    moto_server.main(int(sys.argv[2]))
