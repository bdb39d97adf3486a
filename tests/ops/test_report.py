"""The report as an operator gets it: from the tables on a real engine, and from an export."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops import stacks
from ops.__main__ import main as shell
from ops.counting import MEASURES, Key, Period, Report, count
from ops.plot import COLOURS, REST, svg
from ops.reading import UNIT_BYTES, USD_PER_MILLION_UNITS, Estimate, NotAnExport, Scan, exported
from ops.report import Stack
from ops.report_views import as_csv, as_text
from tests.ops.test_counting import DAY, NOVEMBER, order, row
from tests.support.aws import attribute_values
from tests.support.machine import ROOT
from tests.support.tables import Shop

ASKED = ("--from", "2026-11-01", "--to", "2026-11-30")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def stack(found: stacks.Stack) -> Stack:
    return Stack(found.dynamodb, found.tables["orders"], found.tables["requests"])


def main(arguments: Sequence[str]) -> int:
    return shell(["report", *arguments])


@pytest.fixture
def filled(shop: Shop) -> Iterator[Shop]:
    """A store with three cancelled orders, one that can't be read, one that was not cancelled, and two requests."""
    yen = {"status": "pending", "currency": "JPY", "amount": Decimal(300)}
    for source in (order(), order(reason={"code": "late"}), order(refund=yen), order(reason=7), {"status": "pending"}):
        shop.put(source)
    rows = [row(f"{shop.store_id}-{number}", status=status) for number, status in enumerate(("open", "declined"))]
    for one in rows:
        item = attribute_values(one | {"store_id": shop.store_id, "comment": "private"})
        shop.client.put_item(TableName=shop.tables["requests"], Item=item)
    yield shop
    for one in rows:
        shop.client.delete_item(TableName=shop.tables["requests"], Key={"request_id": {"S": one["request_id"]}})


def answers(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    def typed() -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", typed)


def cells(line: str) -> list[str]:
    return re.split(r"  +", line)


# --- the tables ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stack")
def test_the_tables_are_read_once_somebody_has_agreed_to_what_it_costs(
    filled: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, "y")
    assert main([*ASKED, "--store", filled.store_id]) == 0
    out, said = capsys.readouterr()
    assert "USD at 0.125 per million (on demand, US East)" in said
    assert re.search(r"It took \d+ read units", said)
    lines = out.splitlines()
    assert cells(lines[0])[:4] == ["reason", "currency", "cancels", "requests"]
    assert [cells(line)[:3] for line in lines[1:6]] == [
        ["late", "SEK", "1"],
        ["other", "JPY", "1"],
        ["other", "SEK", "1"],
        ["total", "JPY", "1"],
        ["total", "SEK", "2"],
    ]
    # In each currency's own digits.
    assert cells(lines[5])[-3:] == ["400.00", "0.00", "100.00"]
    assert "  300  " in lines[2]
    assert "3 cancel(s) and 2 request(s)" in out
    assert "1 can't be read and are not counted: o-" in out
    assert "private" not in out
    assert main([*ASKED, "--store", filled.store_id, "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["refunded"] for one in told["rows"] if "refunded" in one] == [20000, 20000]
    assert len(told["unreadable"]) == 1


@pytest.mark.parametrize("answer", ["", "n", None])
def test_nothing_is_read_unless_somebody_agrees(
    answer: str | None, stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(monkeypatch, answer)
    monkeypatch.setattr(stack.dynamodb, "get_paginator", None)
    assert main(ASKED) == 1
    assert capsys.readouterr().err.endswith("Nothing was read.\n")


def test_a_scan_waits_for_the_units_it_took(stack: Stack, filled: Shop) -> None:
    slept: list[float] = []
    scan = Scan(stack.dynamodb, 10, slept.append)
    assert [one for one in scan.orders(stack.orders) if one.get("store_id") == filled.store_id]
    assert scan.units > 0
    assert sum(slept) == pytest.approx(scan.units / 10)


def test_a_scan_asks_for_nothing_of_a_person(stack: Stack, filled: Shop) -> None:
    filled.put(order(comment="private") | {"customer_id": "private", "customer_email": "private"})
    scan = Scan(stack.dynamodb, 1000, lambda _: None)
    read = [*scan.orders(stack.orders), *scan.requests(stack.requests)]
    assert "private" not in repr([one for one in read if one.get("store_id") == filled.store_id])


@pytest.mark.usefixtures("stack")
def test_a_cancellation_that_is_no_map_is_told(filled: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    order_id = filled.put({"cancellation": "gone"})
    filled.put({"cancellation": None})
    assert main([*ASKED, "--store", filled.store_id, "--yes"]) == 0
    assert order_id in capsys.readouterr().out


def test_the_price_is_the_one_of_the_page_on_costs() -> None:
    (written,) = re.findall(r"^\| DynamoDB, read \| ([0-9.]+) per million units", COSTS, re.MULTILINE)
    assert Decimal(written) == USD_PER_MILLION_UNITS


COSTS = (ROOT / "docs" / "costs.md").read_text("utf-8")


@pytest.mark.parametrize(("size", "units"), [(0, 0), (1, 0.5), (UNIT_BYTES, 0.5), (2_000_000_000, 244141)])
def test_half_a_unit_reads_four_kilobytes(size: int, units: float) -> None:
    assert Estimate("orders", 1, size).units == units


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the following arguments are required: --from, --to"),
        (("--from", "2026-11-30", "--to", "2026-11-01"), "--to is before --from"),
        (("--from", "November", "--to", "2026-11-01"), "argument --from: invalid _day value: 'November'"),
        ((*ASKED, "--units-per-second", "0"), "must be 1 or more"),
        ((*ASKED, "--csv", "/no/such/folder/report.csv"), "there is no folder /no/such/folder"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_read(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


# --- the export ------------------------------------------------------------------------------------------------------


def export(folder: Path, *files: list[dict[str, Any]], manifest: bool = True) -> None:
    """As DynamoDB exports a table to S3, and `aws s3 sync` brings it here."""
    data = folder / "AWSDynamoDB" / "01693685827463-2d8752fd"
    (data / "data").mkdir(parents=True)
    listed = []
    for number, items in enumerate(files):
        lines = "".join(json.dumps({"Item": attribute_values(item)}) + "\n" for item in items)
        (data / "data" / f"file{number}.json.gz").write_bytes(gzip.compress(lines.encode()))
        key = f"AWSDynamoDB/01693685827463-2d8752fd/data/file{number}.json.gz"
        listed.append(json.dumps({"itemCount": len(items), "md5Checksum": "", "etag": "", "dataFileS3Key": key}) + "\n")
    if manifest:
        (data / "manifest-files.json").write_text("".join(listed), "utf-8")
    (data / "manifest-summary.json").write_text("{}", "utf-8")


@pytest.mark.parametrize("manifest", [True, False])
def test_an_export_is_counted_without_asking_anything_of_aws(
    manifest: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stacks, "deployed", None)
    export(tmp_path / "orders", [order(), {"order_id": "o2"}], [], [order("o3")], manifest=manifest)
    export(tmp_path / "requests", [row()], manifest=manifest)
    assert main([*ASKED, "--export", str(tmp_path)]) == 0
    assert "2 cancel(s) and 1 request(s)" in capsys.readouterr().out


def test_an_export_without_requests_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(tmp_path / "orders", [order()])
    assert main([*ASKED, "--export", str(tmp_path)]) == 0
    assert "cancels alone are counted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (None, b"", "the download is not complete: file0.json.gz missing"),
        ("file0", gzip.compress(b""), "has 0 item(s), and the export's manifest 1"),
        ("file0", b"no gzip", "is no file of a full export"),
        ("file0", gzip.compress(b'{"Item": {}}\n' * 100)[:-12], "is no file of a full export"),
        # An incremental export.
        ("file0", gzip.compress(b'{"Keys": {}, "NewImage": {}}\n'), "is no file of a full export"),
        ("manifest", b'{"itemCount": 1}', "is no manifest"),
        ("another", b"", "has 2 exports"),
    ],
    # Not by what is compressed, which has the time in it.
    ids=["missing", "fewer", "no gzip", "cut off", "incremental", "no manifest", "two"],
)
def test_an_export_that_is_not_whole_is_told(
    name: str | None, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(tmp_path / "orders", [order()])
    (file,) = (tmp_path / "orders").rglob("file0.json.gz")
    match name:
        case None:
            file.unlink()
        case "file0":
            file.write_bytes(content)
        case "manifest":
            (file.parent.parent / "manifest-files.json").write_bytes(content)
        case _:
            export(tmp_path / "orders" / "second", [order()])
    assert main([*ASKED, "--export", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


def test_a_folder_that_is_no_export_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAnExport, match="there is no file of an export"):
        list(exported(tmp_path))


# --- how it is shown -------------------------------------------------------------------------------------------------


def test_the_spreadsheet_has_minor_units_and_no_formulas(tmp_path: Path) -> None:
    names = ["=cmd()", "+1", "-1", "@x", " =x", 'a "quoted", one\nof two lines']
    export(tmp_path / "orders", [order(str(place), reason={"code": name}) for place, name in enumerate(names)])
    file = tmp_path / "report.csv"
    assert main([*ASKED, "--export", str(tmp_path), "--csv", str(file)]) == 0
    text = file.read_bytes().decode()
    assert text.splitlines()[0] == ",".join([*Key._fields, *MEASURES])
    assert text.count("\r\n") == len(names) + 1
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {entry["reason"] for entry in rows} == {*(f"'{name}" for name in names[:5]), names[5]}
    assert {(entry["day"], entry["refunded"], entry["cancels"]) for entry in rows} == {(DAY, "20000", "1")}


def test_a_terminal_and_a_picture_get_no_commands() -> None:
    report = count([order(reason={"code": "\x1b[2J<script>"})], [], NOVEMBER)
    assert "\x1b" not in as_text(report)
    drawn = svg(report, NOVEMBER, "\x00<b>")
    assert not {"\x1b", "\x00"} & set(drawn)
    assert f"{SVG}script" not in {element.tag for element in ET.fromstring(drawn).iter()}


def test_a_report_of_nothing_is_one() -> None:
    assert as_text(Report()) == "0 cancel(s) and 0 request(s); 0 of other days or stores."
    assert as_csv(Report()).count("\r\n") == 1
    assert "Nothing was cancelled" in svg(Report(), NOVEMBER)


def drawn(report: Report, period: Period = NOVEMBER) -> tuple[ET.Element, list[str]]:
    """The picture, and what is said of each of its bars."""
    picture = ET.fromstring(svg(report, period))
    return picture, [title.text or "" for title in picture.iterfind(f"{SVG}rect/{SVG}title")]


def test_the_picture_is_told_in_words_and_has_a_bar_for_each_day_and_reason() -> None:
    report = count([order(), order(), order(reason={"code": "late"})], [row()], NOVEMBER)
    picture, bars = drawn(report)
    named = {element.get("id"): element.text for element in picture if element.get("id")}
    assert (picture.get("role"), picture.get("aria-labelledby")) == ("img", "title described")
    assert named == {
        "title": "Cancels and requests by day and reason, 2026-11-01 to 2026-11-30 (UTC)",
        "described": "3 cancels: other 2, late 1. 1 requests: other 1.",
    }
    assert bars == [f"{DAY}, other: 2 cancels", f"{DAY}, late: 1 cancels", f"{DAY}, other: 1 requests"]


def test_reasons_that_are_many_are_drawn_as_the_most_frequent_and_the_rest() -> None:
    codes = [f"reason{number:02}" for number in range(20) for _ in range(20 - number)]
    report = count([order(reason={"code": code}) for code in codes], [], NOVEMBER)
    _, bars = drawn(report)
    assert [bar.partition(", ")[2].partition(":")[0] for bar in bars] == [
        *(f"reason{number:02}" for number in range(len(COLOURS))),
        REST,
    ]
    assert sum(int(bar.split(": ")[1].split()[0]) for bar in bars) == len(codes)


def test_no_bar_leaves_the_picture() -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    orders = [order(requested_at=f"2026-{month:02}-01T00:00:00Z") for month in range(1, 13) for _ in range(month)]
    picture, bars = drawn(count(orders, [], year), year)
    assert len(bars) == 12
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    for bar in (element for element in picture.iterfind(f"{SVG}rect") if element.get("x")):
        x, y, wide, tall = (float(bar.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert 0 <= x < x + wide <= width
        assert 0 <= y < y + tall <= height
