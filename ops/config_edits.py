"""An admin's edits from a shell: writes one attribute of an item, and waits for the product's answer on the item.

The product's answer is the item's attribute `validation`. An edit removes the old answer in the same write, so that an
answer found later is about this edit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cancel_core.adapters.dynamodb.attributes import attribute_value, plain_value
from cancel_core.adapters.dynamodb.config_history import Configs, StoredScope
from cancel_core.adapters.dynamodb.database import Raw, database_errors, holds
from cancel_core.domain.config_assessment import Told, assess
from cancel_core.domain.policy import DEFAULT_SCOPE, in_force, is_store

from ops.settlement import Refused

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

LOOK_EVERY_SECONDS = 0.5
MAX_ATTEMPTS = 5
Verdict = Literal["in force", "off alone", "not in force", "unanswered"]
_RIGHT = re.compile(r"In force(?: since \S+?)?\.(?: |$)")
"""Also matches if mails or codes can't be sent. Any other restriction is stated before the first full stop."""


class Table(NamedTuple):
    """The config table: its items with their last valid versions, and the client that writes edits."""

    dynamodb: DynamoDBClient
    name: str
    configs: Configs

    def read(self, scope: str) -> StoredScope:
        return self.configs.read([scope])[0]


class Edit(NamedTuple):
    """One attribute's next value, as an attribute value. `read`: the item that it was computed from."""

    read: StoredScope
    attribute: str
    value: Raw

    @property
    def is_none(self) -> bool:
        """Whether the item has it already. A write that changes nothing is not an edit, and would get no answer."""
        return (self.read.item or {}).get(self.attribute) == self.value

    @property
    def document(self) -> dict[str, Any]:
        """The settings after the edit, in plain values."""
        settings = self.read.settings
        return (settings.document if settings else {}) | {self.attribute: plain_value(self.value)}


def verdict(validation: str | None) -> Verdict:
    """The meaning of an item's `validation`. `off alone`: it is disabled, and the other changes are invalid."""
    if not validation:
        return "unanswered"
    if _RIGHT.match(validation):
        return "in force"
    return "off alone" if validation.startswith("Off is in force") else "not in force"


def switched(table: Table, scope: str, *, on: bool, create: bool) -> Edit:
    """The item enabled or disabled. Raises `Refused` if there is no item, unless it may be created."""
    read = table.read(scope)
    if read.item is None and not create:
        where = f"{scope} goes by default's settings" if is_store(scope) else "cancelling is off everywhere"
        raise Refused(f"There is no item {scope}, so {where}. With --create it is put there.")
    return Edit(read, "enabled", {"BOOL": on})


def with_reason(table: Table, scope: str, reason: Mapping[str, Any], before: str | None) -> Edit:
    """The item with one more reason, at the end or before the one with the code `before`. If the same reason is there
    already, nothing changes. Raises `Refused`.
    """
    read = table.read(scope)
    if read.item is None:
        raise Refused(f"There is no item {scope}.")
    if is_store(scope) and "reasons" not in read.item:
        raise Refused(
            f"{scope} has the reasons of default: one of its own would stand in place of them all. Add the reason to "
            "default, or give the store a list of its own in the console."
        )
    reasons = read.item.get("reasons", {"L": []}).get("L")
    if reasons is None:
        raise Refused(f"reasons of {scope} is not a List: mend it in the console first.")
    new = attribute_value(dict(reason))
    codes = [_code(one) for one in reasons]
    if reason["code"] in codes:
        if reasons[codes.index(reason["code"])] == new:
            return Edit(read, "reasons", {"L": reasons})
        raise Refused(f"{scope} has a reason {reason['code']} already, in other words. Reword it in the console.")
    if before is not None and before not in codes:
        raise Refused(f"{scope} has no reason {before}; it has {', '.join(map(str, codes)) or 'none'}.")
    place = len(codes) if before is None else codes.index(before)
    return Edit(read, "reasons", {"L": [*reasons[:place], new, *reasons[place:]]})


def _code(reason: Mapping[str, Any]) -> str | None:
    code: str | None = reason.get("M", {}).get("code", {}).get("S")
    return code


def write(table: Table, edit: Edit) -> bool:
    """Writes the attribute, if it is unchanged since the read. False if it was changed, or the item was created or
    deleted, in the meantime.
    """
    was = edit.read.item
    condition, values = "attribute_not_exists(#scope)", {":new": edit.value}
    if was is not None:
        condition = "attribute_exists(#scope) AND attribute_not_exists(#attribute)"
        if edit.attribute in was:
            condition = "attribute_exists(#scope) AND #attribute = :was"
            values[":was"] = was[edit.attribute]
    with database_errors():
        return holds(
            lambda: table.dynamodb.update_item(
                TableName=table.name,
                Key={"scope": {"S": edit.read.scope}},
                UpdateExpression="SET #attribute = :new REMOVE validation",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#scope": "scope", "#attribute": edit.attribute},
                ExpressionAttributeValues=values,
            )
        )


def answer(table: Table, edit: Edit, seconds: float) -> str | None:
    """The product's answer to an edit that was written; None if there is none within this number of seconds.

    Raises `Refused` if the item was edited again before it was processed.
    """
    until = time.monotonic() + seconds
    while True:
        found = table.read(edit.read.scope)
        if found.item is None or found.item.get(edit.attribute) != edit.value:
            raise Refused(f"{edit.read.scope} was edited by somebody else just after this edit: see `config show`.")
        if found.validation or time.monotonic() >= until:
            return found.validation
        time.sleep(LOOK_EVERY_SECONDS)


def foretold(table: Table, scope: str, document: Mapping[str, Any], *, is_new: bool) -> Told:
    """The validation of settings (plain values) by the rules of this checkout, before they are written."""
    read = table.configs.read([DEFAULT_SCOPE, scope])
    default, own = read[0], read[-1]
    settings = default.settings
    shared = in_force(DEFAULT_SCOPE, settings.document if settings else None, default.row.good.document) or {}
    twin = table.configs.twin(scope) if is_new and is_store(scope) and own.row.good.document is None else None
    return assess(scope, document, own.row.good, default.row.good, shared, kept=False, twin=twin)
