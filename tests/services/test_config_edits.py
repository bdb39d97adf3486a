"""An admin's edits on real tables, with the records of the real stream: whatever is wrong leaves what was right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from boto3.dynamodb.types import Binary
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.config import ConfigTables, Policies, Seed
from cancel_core.adapters.dynamodb.config_history import Configs
from cancel_core.adapters.eventbridge import Bus
from cancel_core.domain.config_description import describe
from cancel_core.domain.policy import DEFAULT_REASONS, Policy
from cancel_core.entrypoints.config_stream import read_config_changes
from cancel_core.services.config_edits import take_in
from hypothesis import given, settings
from hypothesis import strategies as st

from local.event_sources.records import as_lambda_record
from tests.conftest import TABLES, Aws
from tests.domain.test_policy import wrong_edits
from tests.support.aws import attribute_values
from tests.support.tables import Calls, Watched, impatient

REASONS = [{"code": "other", "description": "Other"}, {"code": "late", "description": "Too late"}]
SWEDISH = [{"code": "annat", "description": "Annat"}]
ON: dict[str, Any] = {"enabled": True, "reasons": REASONS}
WRONG: dict[str, Any] = {"enabled": True, "reasons": [*REASONS, {"code": "x"}]}
TOLD = "scope store:se: reason 3 has no description; give it one"


class Desk:
    """An admin at a config table of this test's own, and what looks through the edits."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.client = aws.client("dynamodb")
        self.streams = aws.client("dynamodbstreams")
        self.tables = ConfigTables(*(f"{name}-{uuid4()}" for name in ("config", "history")))
        for name, table in zip(("config", "history"), self.tables, strict=True):
            declared = aws.template.resources("AWS::DynamoDB::Table")[TABLES[name]]
            wanted = {key: declared[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")}
            if stream := declared.get("StreamSpecification"):
                wanted["StreamSpecification"] = {"StreamEnabled": True, **stream}
            self.client.create_table(TableName=table, **wanted)
        self.stream = self.client.describe_table(TableName=self.tables.config)["Table"]["LatestStreamArn"]
        self.events = Watched(aws, "cancel-core.config")
        self._looked_at = 0

    # --- the admin

    def put(self, scope: str = "store:se", **attributes: Any) -> None:
        self.client.put_item(TableName=self.tables.config, Item=attribute_values({"scope": scope, **attributes}))

    def delete(self, scope: str = "store:se") -> None:
        self.client.delete_item(TableName=self.tables.config, Key={"scope": {"S": scope}})

    def validation(self, scope: str = "store:se") -> str:
        answer = self.client.get_item(TableName=self.tables.config, Key={"scope": {"S": scope}}, ConsistentRead=True)
        return str(plain(answer["Item"]).get("validation", ""))

    def history(self, scope: str = "store:se") -> list[dict[str, Any]]:
        """Newest first, as the console shows it."""
        answer = self.client.query(
            TableName=self.tables.history,
            KeyConditionExpression="#scope = :scope AND version < :last",
            ExpressionAttributeNames={"#scope": "scope"},
            ExpressionAttributeValues={":scope": {"S": scope}, ":last": {"S": "last_good"}},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return [plain(item) for item in answer["Items"]]

    # --- the product

    def policy(self, store_id: str = "se") -> Policy:
        return Policies(self.client, self.tables, 0, lambda _: None).get(store_id)

    def in_force(self, store_id: str = "se") -> tuple[bool, list[str], tuple[str, ...]]:
        policy = self.policy(store_id)
        return policy.enabled, [reason.code for reason in policy.reasons], policy.cancellable_statuses

    def records(self) -> list[dict[str, Any]]:
        """All that the stream has, as Lambda hands them over."""
        found = []
        for shard in self.streams.describe_stream(StreamArn=self.stream)["StreamDescription"]["Shards"]:
            iterator = self.streams.get_shard_iterator(
                StreamArn=self.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while iterator:
                answer = self.streams.get_records(ShardIterator=iterator)
                found += answer["Records"]
                iterator = answer.get("NextShardIterator") if answer["Records"] else None
        return [as_lambda_record(record, self.stream, "eu-north-1") for record in found]

    def fresh(self) -> list[dict[str, Any]]:
        """What has come since the last look."""
        records = self.records()
        fresh, self._looked_at = records[self._looked_at :], len(records)
        return fresh

    def look(self, records: Sequence[dict[str, Any]] | None = None, configs: Configs | None = None) -> list[str]:
        """One invocation."""
        stream = read_config_changes(self.fresh() if records is None else records)
        return take_in(configs or Configs(self.client, self.tables), self.events.bus, stream)

    def settle(self) -> None:
        """Until nothing is left to look at, its own writes included, which must not go on for ever."""
        for _ in range(5):
            if not (records := self.fresh()):
                return
            assert self.look(records) == []
        raise AssertionError("looking at edits makes ever new ones")


@pytest.fixture
def desk(aws: Aws) -> Iterator[Desk]:
    opened = Desk(aws)
    yield opened
    for table in opened.tables:
        opened.client.delete_table(TableName=table)


# --- one edit ---------------------------------------------------------------------------------------------------------


def test_a_right_edit_is_in_force_before_anyone_has_looked_at_it(desk: Desk) -> None:
    desk.put(**ON)

    assert desk.in_force() == (True, ["other", "late"], ("pending", "processing"))

    desk.settle()
    assert desk.validation().startswith("In force since 20")
    assert desk.in_force() == (True, ["other", "late"], ("pending", "processing"))
    assert desk.events.seen() == []


def test_a_wrong_edit_leaves_what_was_right_and_is_told_in_words(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.put(**ON, cancellable_statuses=["new"])
    desk.settle()
    (first,) = desk.history()

    desk.put(**WRONG)
    before_it_was_looked_at = desk.in_force()
    desk.settle()

    assert before_it_was_looked_at == desk.in_force() == (True, ["other", "late"], ("new",))
    assert desk.validation() == f"NOT IN FORCE: {TOLD}. The version of {first['at']} stays in force."
    assert TOLD in caplog.text
    (event,) = desk.events.seen()
    assert (event["source"], event["detail-type"]) == ("cancel-core.config", "ConfigInvalid")
    second, _ = desk.history()
    assert event["detail"] == {
        "schema_version": 1,
        "scope": "store:se",
        "problems": [{"attribute": "reasons", "fault": "reason 3 has no description", "remedy": "give it one"}],
        "message": desk.validation(),
        "in_force_since": first["at"],
        "occurred_at": second["at"],
    }

    desk.put(enabled=True, reasons=SWEDISH)
    desk.settle()
    assert desk.in_force()[1] == ["annat"]
    assert desk.validation().startswith("In force since")


def test_a_store_that_differs_from_a_known_one_in_capitals_alone_is_wrong(desk: Desk) -> None:
    desk.put(**ON)
    desk.settle()
    desk.put("store:SE", **ON)
    desk.settle()

    told = desk.validation("store:SE")
    assert told.startswith("NOT IN FORCE: scope store:SE: scope differs from store:se in capitals alone;")
    assert told.endswith("No store uses this item.")
    # The known one stays as it is, whatever is edited afterwards.
    desk.put(**ON | {"refund_basis": "paid"})
    desk.put("default", enabled=False)
    desk.settle()
    assert desk.validation().startswith("In force since")
    assert desk.validation("store:SE") == told
    # Once the known one is gone the other one may be the right one.
    desk.delete()
    desk.put("store:SE", **ON | {"refund_basis": "paid"})
    desk.settle()
    assert desk.validation("store:SE").startswith("In force since")


def test_a_scope_is_mailed_without_lines_and_links(desk: Desk) -> None:
    desk.put("store:se\nhttps://evil.example/", enabled=1)
    desk.settle()

    (event,) = desk.events.seen()
    for text in (event["detail"]["scope"], event["detail"]["message"]):
        assert "\n" not in text
        assert "evil.example" not in text
        assert "store:se" in text


def test_a_number_is_no_yes_though_they_look_alike_as_plain_values(desk: Desk) -> None:
    desk.put(**ON)
    desk.settle()
    desk.put(**ON | {"enabled": 1})
    desk.settle()

    assert desk.validation().startswith("NOT IN FORCE: scope store:se: enabled is neither Yes nor No")
    assert desk.history()[0]["change"] == "enabled: Yes → 1"


def test_what_never_was_right_is_off(desk: Desk) -> None:
    desk.put("default", **ON)
    desk.put(**WRONG)
    desk.settle()

    assert not desk.policy().enabled
    assert desk.validation() == f"NOT IN FORCE: {TOLD}. Cancelling is off: there is no earlier version that is right."
    assert desk.policy("no").enabled


def test_off_counts_whatever_else_is_wrong(desk: Desk) -> None:
    desk.put(**ON)
    desk.settle()

    desk.put(**WRONG | {"enabled": "No"})

    assert not desk.policy().enabled
    desk.settle()
    assert not desk.policy().enabled
    assert desk.validation() == f"Off is in force; the rest is NOT: {TOLD}."
    # The next slip does not switch it on.
    desk.put(**WRONG | {"enabled": "off"})
    desk.settle()
    assert desk.validation().startswith("NOT IN FORCE: scope store:se: enabled is neither Yes nor No")


def test_a_scope_that_was_deleted_does_not_come_back_with_a_wrong_edit(desk: Desk) -> None:
    desk.put(**ON)
    desk.settle()
    desk.delete()
    desk.settle()
    assert not desk.policy().enabled

    desk.put(**WRONG)
    assert not desk.policy().enabled
    desk.settle()

    assert not desk.policy().enabled
    assert "no earlier version" in desk.validation()
    assert [row["change"].split(":")[0] for row in desk.history()] == ["created", "removed", "created"]


def test_config_from_before_anyone_looked_is_found_in_the_first_edit(desk: Desk) -> None:
    desk.put(**ON)
    desk.fresh()

    desk.put(**WRONG)
    desk.settle()

    assert desk.policy().enabled
    assert desk.validation() == f"NOT IN FORCE: {TOLD}. The version before stays in force."


@pytest.mark.parametrize("attribute", ["settings", "reasons", "since"])
def test_a_row_that_was_spoiled_by_hand_counts_for_nothing(desk: Desk, attribute: str) -> None:
    for scope in ("default", "store:se"):
        desk.put(scope, **ON)
        desk.settle()
        desk.client.update_item(
            TableName=desk.tables.history,
            Key={"scope": {"S": scope}, "version": {"S": "last_good"}},
            UpdateExpression="SET #attribute = :spoiled",
            ExpressionAttributeNames={"#attribute": attribute},
            ExpressionAttributeValues={":spoiled": {"N": "1"}},
        )
        desk.put(scope, **WRONG)

    assert desk.policy().enabled == (attribute != "settings")
    desk.settle()
    # The records hold the versions before, and these are whole.
    assert desk.in_force()[:2] == (True, ["other", "late"])


def test_a_scope_that_no_store_can_have_is_told(desk: Desk) -> None:
    desk.put("Default", **ON)
    desk.settle()

    assert desk.validation("Default").startswith("NOT IN FORCE: scope Default: scope is neither default nor store:")
    assert desk.validation("Default").endswith("No store uses this item.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"enabled": Binary(b"\x00\xff")},
        {"reasons": {Binary(b"a"), Binary(b"b")}},
        {"cancellable_statuses": {"pending", "new"}},
        {"reasons": [{"code": {"x": [None, 1]}, "description": "x"}]},
        {f"setting {number}": number for number in range(200)},
        {"n" * 300: True},
        {'"quoted"\n': True},
        {"reasons": "x" * 390_000},
    ],
    ids=["binary", "binaries", "strings", "nested", "many", "a long name", "a name with quotes", "large"],
)
def test_whatever_is_typed_is_told_on_the_item(desk: Desk, wrong: dict[str, Any]) -> None:
    desk.put(**ON)
    desk.settle()

    desk.put(**ON | wrong)
    desk.settle()

    assert desk.in_force()[:2] == (True, ["other", "late"])
    assert desk.validation().startswith("NOT IN FORCE: scope store:se: ")
    (event,) = desk.events.seen()
    # The mail is made by putting the text between quotation marks.
    assert '"' not in event["detail"]["message"]
    assert event["detail"]["message"] == desk.validation()


def test_its_own_words_on_the_item_are_no_edit(desk: Desk) -> None:
    desk.put(**ON)
    assert desk.look() == []
    own = desk.fresh()
    calls = Calls(desk.client)

    assert [record["eventName"] for record in own] == ["MODIFY"]
    assert desk.look(own) == []
    assert calls.made == []
    # An admin who pastes them back changes nothing either.
    desk.put(**ON, validation="mine")
    assert read_config_changes(desk.fresh()) == []


# --- default and the stores -------------------------------------------------------------------------------------------


def test_a_default_that_takes_its_reasons_away_leaves_them_to_the_stores_that_live_on_them(desk: Desk) -> None:
    desk.put("default", **ON)
    desk.put("store:se", enabled=True)
    desk.put("store:no", enabled=True, reasons=SWEDISH)
    desk.settle()

    desk.put("default", enabled=False)
    before_it_was_looked_at = desk.in_force()
    desk.settle()

    assert before_it_was_looked_at == desk.in_force() == (True, ["other", "late"], ("pending", "processing"))
    assert desk.in_force("no")[1] == ["annat"]
    assert not desk.policy("fi").enabled
    assert "but not for store:se, where the reasons stay that stood here before" in desk.validation("default")
    assert desk.validation("store:se").startswith("In force with the reasons that default had before: scope store:se: ")
    assert desk.validation("store:no").startswith("In force since")
    (event,) = desk.events.seen()
    assert (event["detail"]["scope"], event["detail"]["problems"][0]["attribute"]) == ("default", "reasons")

    # Nor does a wrong edit, or the end of default, change that.
    desk.put("default", enabled="perhaps")
    desk.settle()
    assert desk.in_force()[:2] == (True, ["other", "late"])
    assert not desk.policy("fi").enabled
    desk.delete("default")
    desk.settle()
    assert desk.in_force()[:2] == (True, ["other", "late"])

    desk.put("default", enabled=False, reasons=SWEDISH)
    desk.settle()
    assert desk.in_force()[:2] == (True, ["annat"])
    assert desk.validation("store:se").startswith("In force since")


def test_a_store_that_is_switched_on_without_reasons_stays_as_it_was(desk: Desk) -> None:
    desk.put("default", **ON)
    desk.put("default", enabled=False)
    desk.put("store:se", enabled=False)
    desk.settle()

    desk.put("store:se", enabled=True)
    desk.settle()

    assert not desk.policy().enabled
    assert "scope store:se: reasons is empty while enabled is Yes" in desk.validation()
    # Default gets some: the store's edit is right now, and from now on it is what the store goes back to.
    desk.put("default", enabled=False, reasons=SWEDISH)
    desk.settle()
    assert desk.in_force()[:2] == (True, ["annat"])
    assert desk.validation().startswith("In force since")
    desk.put("store:se", enabled="perhaps")
    desk.settle()
    assert desk.in_force()[:2] == (True, ["annat"])


def test_reasons_that_never_were_in_force_make_no_store_right(desk: Desk) -> None:
    desk.put("default", **ON)
    desk.put("default", enabled=False)
    desk.put("store:se", enabled=False)
    desk.settle()
    desk.put("store:se", enabled=True)
    desk.settle()

    desk.put("default", reasons=SWEDISH, colour="red")
    desk.settle()
    desk.put("default", enabled=False, cancellable_statuses=["new"])
    desk.settle()

    assert not desk.policy().enabled
    assert desk.validation().startswith("NOT IN FORCE")


def test_a_wrong_default_leaves_every_store_as_it_was(desk: Desk) -> None:
    desk.put("default", **ON)
    desk.put("store:se", cancellable_statuses=["new"])
    desk.settle()
    before = desk.in_force(), desk.in_force("no")

    desk.put("default", **WRONG)
    desk.settle()

    assert (desk.in_force(), desk.in_force("no")) == before
    assert desk.validation("store:se").startswith("In force since")


# --- the history ------------------------------------------------------------------------------------------------------


def test_each_change_is_kept_for_a_year_in_words_and_whole(desk: Desk) -> None:
    desk.put(enabled=False, reasons=REASONS)
    desk.put(**ON)
    desk.put(enabled=True, reasons=[{"code": "late", "description": "Much too late"}, *SWEDISH])
    desk.settle()

    third, second, first = desk.history()

    assert first["change"] == "created: enabled set to No; reasons set to 'other' (Other), 'late' (Too late)"
    assert second["change"] == "enabled: No → Yes"
    expected = "added 'annat' (Annat), removed 'other', 'late' reworded from \"Too late\" to \"Much too late\""
    assert third["change"] == f"reasons: {expected}"
    assert (second["before"], second["after"]) == ({"enabled": False, "reasons": REASONS}, ON)
    assert third["expires_at"] > 365 * 24 * 3600
    assert third["validation"].startswith("In force since")
    # Looked at once more, what was recorded stays as it was.
    assert desk.look(desk.records()) == []
    assert desk.history() == [third, second, first]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"reasons": REASONS}, {"reasons": REASONS[::-1]}, "reasons: order now late, other"),
        ({"reasons": REASONS}, {}, "reasons taken away, was 'other' (Other), 'late' (Too late)"),
        ({"reasons": REASONS}, {"reasons": "none"}, "reasons: 'other' (Other), 'late' (Too late) → none"),
        (
            {"reasons": [REASONS[0] | {"descriptions": {"sv": "Annat", "de": "Anderes", "fi": "Muu"}}]},
            {"reasons": [REASONS[0] | {"descriptions": {"sv": "Annat", "de": "Sonstiges", "da": "Andet"}}]},
            (
                'reasons: \'other\' reworded in de from "Anderes" to "Sonstiges", '
                "'other' taken away in fi, was \"Muu\", 'other' worded in da \"Andet\""
            ),
        ),
        (
            {"reasons": REASONS[:1]},
            {"reasons": [*REASONS[:1], {"code": "annat", "description": "X", "descriptions": {"sv": "Y", "de": "Z"}}]},
            "reasons: added 'annat' (X, sv Y, de Z)",
        ),
        (
            {"reasons": [REASONS[0] | {"descriptions": {"sv": "Annat"}}]},
            {"reasons": [REASONS[0] | {"descriptions": ["Annat"]}]},
            (
                "reasons: 'other' (Other, sv Annat) → "
                "[{'code': 'other', 'description': 'Other', 'descriptions': ['Annat']}]"
            ),
        ),
        ({"cancellable_statuses": ["a", "b"]}, {"cancellable_statuses": ["b"]}, "cancellable_statuses: a, b → b"),
        (None, {}, "created: nothing in it"),
        ({"enabled": "Yes"}, None, "removed: enabled taken away, was Yes"),
        ({"colour": 1}, {"colour": None}, "colour: 1 → None"),
        ({}, {"withdrawal": {"enabled": True, "country": "SE"}}, "withdrawal set to enabled Yes, country SE"),
        (
            {"withdrawal": {"enabled": False, "days": Decimal(14), "country": "SE"}},
            {"withdrawal": {"enabled": True, "days": Decimal(30), "time_zone": "UTC"}},
            (
                "withdrawal.enabled: No → Yes; withdrawal.days: 14 → 30; withdrawal.country taken away, was SE; "
                "withdrawal.time_zone set to UTC"
            ),
        ),
    ],
)
def test_changes_in_words(before: dict[str, Any] | None, after: dict[str, Any] | None, told: str) -> None:
    assert describe(before, after) == told


# --- again, at once, in another order, broken off ---------------------------------------------------------------------

EDITS: list[dict[str, Any] | None] = [ON, ON | {"reasons": SWEDISH}, {"enabled": False}, WRONG, {"enabled": "x"}, None]


def edit(desk: Desk, wanted: dict[str, Any] | None, number: int) -> None:
    """Each version differs from the others, so that it is seen which is in force."""
    if wanted is None:
        desk.delete()
    else:
        desk.put(**wanted, cancellable_statuses=[f"version {number}"])


def expected(edits: Sequence[dict[str, Any] | None]) -> tuple[str, ...] | None:
    """The statuses of the version that is in force after these edits; None when nothing is."""
    kept: tuple[str, ...] | None = None
    for number, one in enumerate(edits):
        if one is None:
            kept = None
        elif one not in (WRONG, {"enabled": "x"}):
            kept = (f"version {number}",)
    return kept


def assert_settled(desk: Desk, edits: Sequence[dict[str, Any] | None]) -> None:
    """What is in force is what the edits, one after the other, make of it, however they were looked at."""
    kept = expected(edits)
    if edits[-1] is None:
        assert desk.in_force()[2] == ("pending", "processing")
        return
    policy = desk.policy()
    if kept is None:
        assert not policy.enabled
    else:
        assert policy.cancellable_statuses == kept
    wrong = edits[-1] in (WRONG, {"enabled": "x"})
    assert desk.validation().startswith("NOT IN FORCE" if wrong else "In force since"), desk.validation()
    # And of the admin's next slip.
    desk.put(enabled="neither")
    desk.settle()
    policy = desk.policy()
    assert policy.cancellable_statuses == (kept or ("pending", "processing"))


@given(edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=8), seed=st.integers(0, 9999))
@settings(max_examples=15, deadline=None)
def test_in_whatever_order_and_however_often_edits_are_looked_at_the_newest_has_its_say(
    aws: Aws, edits: list[dict[str, Any] | None], seed: int
) -> None:
    desk = Desk(aws)
    for number, wanted in enumerate(edits):
        edit(desk, wanted, number)
    records = desk.fresh()
    shuffled = random.Random(seed).choices(records, k=len(records)) + records
    random.Random(seed + 1).shuffle(shuffled)

    assert desk.look(shuffled) == []
    desk.settle()

    assert_settled(desk, edits)


def test_an_older_edit_that_is_looked_at_late_brings_nothing_back(desk: Desk) -> None:
    edits = [ON, ON | {"reasons": SWEDISH}, WRONG]
    for number, wanted in enumerate(edits):
        edit(desk, wanted, number)
    first, second, third = desk.fresh()
    for late in ([third], [second], [first], [first], [third, first]):
        assert desk.look(late) == []
        assert desk.in_force()[1] == ["annat"]
        assert desk.validation().startswith("NOT IN FORCE")
    assert len(desk.history()) == 3


def test_a_deleted_version_stays_gone_when_its_record_comes_late(desk: Desk) -> None:
    edit(desk, ON, 0)
    desk.delete()
    edit(desk, WRONG, 2)
    first, second, third = desk.fresh()

    for late in ([third], [first], [second]):
        assert desk.look(late) == []
        assert not desk.policy().enabled


def test_a_restored_tables_stream_begins_anew_and_is_newer(desk: Desk) -> None:
    edit(desk, ON, 0)
    records = desk.fresh()
    stream, dynamodb = records[0]["eventSourceARN"].rsplit("/", 1)[0], records[0]["dynamodb"]
    restored = records[0] | {
        "eventSourceARN": f"{stream}/2999-01-01T00:00:00.000",
        "dynamodb": dynamodb | {"SequenceNumber": "1"},
    }

    (old,), (new,) = read_config_changes(records), read_config_changes([restored])

    assert old.version < new.version < "last_good"
    later = [restored | {"dynamodb": dynamodb | {"SequenceNumber": number}} for number in ("9", "10")]
    nine, ten = read_config_changes(later)
    assert new.version < nine.version < ten.version


def test_two_that_look_at_the_same_edits_at_once_do_as_one(desk: Desk) -> None:
    edits = [ON, WRONG, ON | {"reasons": SWEDISH}, None, ON, WRONG]
    for number, wanted in enumerate(edits):
        edit(desk, wanted, number)
    records = desk.fresh()

    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(desk.look, records[n % 2 :], Configs(desk.client, desk.tables)) for n in range(4)]
        done = [look.result() for look in looks]

    assert done == [[], [], [], []]
    desk.settle()
    assert len({row["version"] for row in desk.history()}) == len(edits)
    assert_settled(desk, edits)


class Crash(BaseException):
    """The end of a process, which no `except Exception` outlives."""


def break_off_at(clients: Sequence[Any], line: int, *, arrives: bool) -> None:
    numbers = count(1)

    def crash(**_: Any) -> None:
        if next(numbers) == line:
            raise Crash

    for client in clients:
        client.meta.events.register("response-received.*.*" if arrives else "before-send.*.*", crash)


def default_loses_its_reasons(desk: Desk) -> tuple[list[dict[str, Any]], Callable[[], None]]:
    desk.put("default", **ON)
    desk.put("store:se", enabled=True)
    desk.settle()
    desk.put("default", enabled=False)

    def check() -> None:
        assert desk.in_force()[:2] == (True, ["other", "late"])
        assert "but not for store:se" in desk.validation("default")
        assert desk.validation("store:se").startswith("In force with the reasons that default had before")

    return desk.fresh(), check


def a_wrong_edit(desk: Desk) -> tuple[list[dict[str, Any]], Callable[[], None]]:
    desk.put(**ON)
    desk.settle()
    desk.put(**WRONG)

    def check() -> None:
        assert desk.in_force()[:2] == (True, ["other", "late"])
        assert TOLD in desk.validation()

    return desk.fresh(), check


@pytest.mark.parametrize("happens", [a_wrong_edit, default_loses_its_reasons])
@pytest.mark.parametrize("arrives", [False, True])
def test_broken_off_before_or_after_any_call_it_ends_the_same(
    aws: Aws, happens: Callable[[Desk], tuple[list[dict[str, Any]], Callable[[], None]]], arrives: bool
) -> None:
    for line in count(1):
        desk = Desk(aws)
        records, check = happens(desk)
        known = len(desk.events.seen())
        no_retries = {"retries": {"mode": "standard", "total_max_attempts": 1}}
        dynamodb, events = aws.client("dynamodb", **no_retries), aws.client("events", **no_retries)
        break_off_at([dynamodb, events], line, arrives=arrives)
        try:
            take_in(Configs(dynamodb, desk.tables), Bus(events, desk.events.name), read_config_changes(records))
        except Crash:
            assert desk.look(records) == []
            desk.settle()
            check()
            assert desk.events.seen()
            assert known in (0, 1)
            continue
        break
    # Reading, keeping, recording, telling, and the event.
    assert line > 5


def test_an_edit_that_could_not_be_told_comes_again(desk: Desk) -> None:
    desk.put(**ON)
    desk.settle()
    desk.put(**WRONG)
    desk.put("store:no", **ON)
    records = desk.fresh()

    nobody = Bus(impatient("events", 1), "nowhere")
    failed = take_in(Configs(desk.client, desk.tables), nobody, read_config_changes(records))

    # The item says it already, and the other edit was not held up.
    assert failed == [records[0]["dynamodb"]["SequenceNumber"]]
    assert TOLD in desk.validation()
    assert desk.validation("store:no").startswith("In force since")
    assert desk.look(records) == []
    assert len(desk.events.seen()) == 1


@given(wrong=wrong_edits)
@settings(max_examples=25, deadline=None)
def test_each_of_many_wrong_edits_leaves_what_was_right(aws: Aws, wrong: dict[str, Any]) -> None:
    desk = many_edits(aws)
    desk.put(**ON, cancellable_statuses=["new"])
    desk.settle()

    desk.put(**wrong)
    before_it_was_looked_at = desk.in_force()
    desk.settle()

    assert before_it_was_looked_at == desk.in_force() == (True, ["other", "late"], ("new",))
    problem = desk.policy().problems[0]
    assert desk.validation().startswith(f"NOT IN FORCE: {problem}")


_desks: dict[str, Desk] = {}


def many_edits(aws: Aws) -> Desk:
    """One desk for all the examples of an engine."""
    if aws.dynamodb_endpoint_url not in _desks:
        _desks[aws.dynamodb_endpoint_url] = Desk(aws)
    return _desks[aws.dynamodb_endpoint_url]


# --- the first item ---------------------------------------------------------------------------------------------------


def test_the_first_item_is_put_once_and_never_over_an_admins(desk: Desk) -> None:
    seed = Seed(desk.client, desk.tables.config)
    document = {"scope": "default", "enabled": False, "reasons": list(DEFAULT_REASONS)}

    assert seed.put_first(document)
    desk.settle()
    assert desk.validation("default").startswith("In force since")
    assert not desk.policy("default").enabled
    desk.put("default", **ON)
    assert not seed.put_first(document)
    assert desk.in_force("default")[:2] == (True, ["other", "late"])
