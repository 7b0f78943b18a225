"""Bad exports: a clear error or a counted reject with its line, never a silent loss."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from recsys.errors import ConfigError, DataError

from .conftest import shop_in

GOOD = "A1,2026-01-05 10:00:00,tea,1,3.50,ann@shop.de\n"
HEADER = "order,time,sku,qty,price,email\n"


#: An unreadable row, its reject reason and the reject's detail.
BAD = [
    (
        "A2,05.01.2026,tea,1,3.50,\n",
        "bad_time",
        'occurred_at = 05.01.2026: set `time_format` to "%d.%m.%Y"',
    ),
    ("A2,2026-02-30,tea,1,3.50,\n", "bad_time", "occurred_at = 2026-02-30"),
    ("A2,,tea,1,3.50,\n", "missing_occurred_at", "occurred_at = "),
    (",2026-01-05,tea,1,3.50,\n", "missing_order_id", "order_id = "),
    ("A2,2026-01-05,,1,3.50,\n", "missing_item_id", "item_id = "),
    ("A2,2026-01-05,tea,,3.50,\n", "missing_quantity", "quantity = "),
    ("A2,2026-01-05,tea,one,3.50,\n", "bad_number", "quantity = one"),
    ('A2,2026-01-05,tea,1,"3,50",\n', "bad_number", "unit_price = 3,50"),
    ("A2,2026-01-05,tea,1,-3.50,\n", "negative_price", "unit_price = -3.500000"),
    (
        "A2,2026-03-29 02:30:00,tea,1,3.50,\n",
        "nonexistent_local_time",
        "occurred_at = 2026-03-29 02:30:00",
    ),
    ("A2,2026-01-05,tea,1\n", "missing_columns", None),
    ("A2,2026-01-05,tea,1,3.50,,more\n", "too_many_columns", None),
]


@pytest.fixture(scope="module")
def bad_rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[dict[str, str]]]:
    """Summary and rejects of two files in which each bad row is between good ones.

    The first row has a file of its own, because its hint would apply to the others too.
    """
    good = [GOOD.replace("A1", f"A1-{nth}") for nth in range(len(BAD))]
    around = [bad + line for (bad, *_), line in zip(BAD, good, strict=True)]
    others = GOOD.replace("A1", "A3") + GOOD.replace("A1", "A4")
    workspace = shop_in(tmp_path_factory.mktemp("bad"))(
        GOOD + GOOD.replace("A1", "A0") + around[0], others + "".join(around[1:])
    )
    return workspace.ingest(), workspace.rejects()


@pytest.mark.parametrize("nth", range(len(BAD)), ids=lambda nth: f"{nth}-{BAD[nth][1]}")
def test_a_row_that_cannot_be_read_is_kept_with_its_line(bad_rows: Any, nth: int) -> None:
    _, reason, detail = BAD[nth]
    place = ("shop/1.csv", "4") if nth == 0 else ("shop/2.csv", str(4 + 2 * (nth - 1)))
    (reject,) = (row for row in bad_rows[1] if (row["file"], row["line"]) == place)
    assert (reject["source"], reject["reason"]) == ("shop", reason)
    assert detail is None or reject["detail"] == detail


def test_rows_that_cannot_be_read_take_no_other_with_them(bad_rows: Any) -> None:
    summary, rejects = bad_rows
    assert summary["lines"] == 4 + len(BAD)
    assert summary["rows"]["rejected"] == Counter(reason for _, reason, _ in BAD)
    assert len(rejects) == len(BAD)


def test_lines_are_told_right_past_line_breaks_and_blank_lines(shop: Callable) -> None:
    workspace = shop(
        'A1,2026-01-05,"tea\nwith\nlemon",1,3.50,\n\n\nA2,2026-01-05,jam,x,1,\nA3,2026-01-05\n'
        'A4,2026-01-05,"a\nb",1,y,\n'
    )
    workspace.ingest()
    lines = {(reject["line"], reject["reason"]) for reject in workspace.rejects()}
    assert lines == {("7", "bad_number"), ("8", "missing_columns"), ("9", "bad_number")}


def test_rejects_hide_who_it_was(shop: Callable) -> None:
    workspace = shop("A1,never,tea,1,3.50,ann@shop.de\nA2,2026-01-05,tea,ann@shop.de\n")
    workspace.write(shop__2_csv=HEADER + GOOD)
    workspace.ingest()
    assert len(workspace.rejects()) == 2
    for path in (workspace.folder / ".omnibasket").rglob("*"):
        assert not path.is_file() or b"ann@shop.de" not in path.read_bytes(), path


def test_a_local_hour_that_came_twice_is_taken_as_the_first_and_noted(shop: Callable) -> None:
    workspace = shop("A1,2026-10-25 02:30:00,tea,1,3.50,\nA2,2026-10-25 03:30:00,tea,1,3.50,\n")
    summary = workspace.ingest()
    first, second = (row["occurred_at"].isoformat() for row in workspace.table())
    assert (first, second) == ("2026-10-25T00:30:00+00:00", "2026-10-25T02:30:00+00:00")
    assert summary["notes"] == {"local_hour_came_twice_taken_as_first": 1}


def test_a_byte_order_mark_semicolons_and_decimal_commas(shop: Callable) -> None:
    workspace = shop(source='decimal = ","\ntime_format = "%d.%m.%Y %H:%M"')
    workspace.write(
        shop__1_csv=b"\xef\xbb\xbforder;time;sku;qty;price;email\n"
        b"A1;05.01.2026 10:00;tea;2;1.234,50;\nA2;05.01.2026 10:00;tea;1;3.50;\n"
    )
    summary = workspace.ingest()
    (line,) = workspace.table()
    assert (line["unit_price_minor"], line["amount_minor"]) == (123450, 246900)
    assert summary["rows"]["rejected"] == {"bad_number": 1}


def test_encodings(shop: Callable) -> None:
    text = HEADER + "A1,2026-01-05,thé,1,3.50,\n"
    workspace = shop()
    workspace.write(
        shop__0_csv=text.replace("A1", "A0").encode("utf-16"),
        shop__1_csv=(text + GOOD).encode("cp1252"),
    )
    summary = workspace.ingest()
    assert workspace.items() == [("shop:A0", "thé", 1.0), ("shop:A1", "tea", 1.0)]
    assert summary["rows"]["rejected"] == {"invalid_encoding": 1}
    (workspace.folder / "shop/0.csv").unlink()
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(
        omnibasket_toml=toml.replace("[sources.shop.c", 'encoding="cp1252"\n[sources.shop.c')
    )
    assert workspace.ingest()["rows"]["rejected"] == {}
    assert ("shop:A1", "thé", 1.0) in workspace.items()


def test_ids_that_were_taken_for_numbers_are_those_without(shop: Callable) -> None:
    workspace = shop(
        "1.0,2026-01-31 13:00:00,123.0,1,2.50,77.0\n2.0,2026-01-31 14:00:00,45.0,1,2.50,\n",
        "3,2026-02-01 13:00:00,123,1,2.50,77\n4,2026-02-01 14:00:00,45.0,1,2.50,\n",
    )
    workspace.write(
        omnibasket_toml=(workspace.folder / "omnibasket.toml")
        .read_text(encoding="utf-8")
        .replace('email = "email"', 'account = "email"')
    )
    workspace.ingest()
    assert workspace.items() == [
        ("shop:1", "123", 1.0),
        ("shop:2", "45", 1.0),
        ("shop:3", "123", 1.0),
        ("shop:4", "45.0", 1.0),  # a single one may be intended
    ]
    lines = {line["order_id"]: line["customer_id"] for line in workspace.table()}
    assert lines["shop:1"] == lines["shop:3"] is not None


def test_rows_of_nothing_but_separators_are_blank_lines(shop: Callable) -> None:
    good = "1,2026-01-31 13:00:00,tea,1,2.50,\n"
    workspace = shop(good + ",,,,,\n  \n,,,\n" + "2,bad,tea,1,2.50,\n" + ",,,,,\n" * 40)
    rows = workspace.ingest()["rows"]
    assert (rows["read"], rows["kept"], rows["rejected"]) == (2, 1, {"bad_time": 1})
    assert [reject["line"] for reject in workspace.rejects()] == ["6"]


def test_a_file_cut_in_the_middle_loses_its_last_row_only_and_says_so(shop: Callable) -> None:
    workspace = shop(GOOD + 'A2,2026-01-05,"te')
    summary = workspace.ingest()
    assert summary["lines"] == 1
    assert sum(summary["rows"]["rejected"].values()) == 1
    assert summary["notes"] == {"no_line_end_at_end_of_file": 1}


def test_a_report_of_two_exports_with_other_line_ends_keeps_its_lines(shop: Callable) -> None:
    workspace = shop()
    workspace.write(
        shop__1_csv="Orders of January,,,,,\r\n\r\n"
        + (HEADER + GOOD).replace("\n", "\r\n")
        + HEADER
        + GOOD.replace("A1", "A2")
        + 'A3,2026-01-05,"te\r\na",x,1,\r\n'
    )
    summary = workspace.ingest()
    assert summary["rows"]["read"] == 3
    assert summary["rows"]["rejected"] == {"bad_number": 1}
    assert summary["notes"] == {"repeated_header": 1}
    assert [reject["line"] for reject in workspace.rejects()] == ["7"]


def test_a_quote_that_is_never_closed_is_one_reject(shop: Callable) -> None:
    workspace = shop('A0,2026-01-05,"tea,1,3.50,\n' + GOOD + 'A2,2026-01-05,"jam",1,3.50,\n')
    summary = workspace.ingest()
    assert (summary["lines"], summary["rows"]["rejected"]) == (2, {"unquoted_value": 1})
    assert [reject["line"] for reject in workspace.rejects()] == ["2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 sheet", r"shop/1\.csv: this is a spreadsheet .*Save the sheet as CSV"),
        (b"<!DOCTYPE html><html>", r"shop/1\.csv: this is a web page"),
        (GOOD.encode(), r"shop/1\.csv: line 1 has values instead of column names.*`header_line`"),
    ],
)
def test_what_is_no_export_is_called_by_its_name(
    shop: Callable, content: bytes, message: str
) -> None:
    workspace = shop()
    workspace.write(shop__1_csv=content)
    with pytest.raises(DataError, match=message) as error:
        workspace.ingest()
    assert "ann@" not in str(error.value)


@pytest.mark.parametrize("name", ["1.parquet", "1.csv.gz"])
def test_an_unreadable_file_stops_the_ingest_and_the_history_stays(
    shop: Callable, name: str
) -> None:
    workspace = shop(GOOD)
    version = workspace.ingest()["version"]
    whole = io.BytesIO()
    if name.endswith("gz"):
        whole.write(gzip.compress((HEADER + GOOD * 500).encode()))
    else:
        pq.write_table(pa.table({"order": ["A7"] * 500}), whole)
    (workspace.folder / "shop" / name).write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(DataError, match=f"shop/{name}"):
        workspace.ingest()
    assert workspace.items() == [("shop:A1", "tea", 1.0)]
    (workspace.folder / "shop" / name).unlink()
    assert workspace.ingest()["version"] == version


def test_a_missing_column_names_the_nearest_one(shop: Callable) -> None:
    workspace = shop()
    workspace.write(shop__1_csv="order,time,sku,qty,pricing,email\n" + GOOD)
    with pytest.raises(DataError, match=r"shop/1.csv: there is no column `price` .*`pricing`"):
        workspace.ingest()


def test_an_unmapped_field_says_which_setting_to_add(shop: Callable) -> None:
    workspace = shop(GOOD)
    toml = (workspace.folder / "omnibasket.toml").read_text()
    workspace.write(omnibasket_toml=toml.replace('quantity = "qty"\n', ""))
    with pytest.raises(DataError, match=r"`quantity`.*\[sources.shop.columns\]"):
        workspace.ingest()
    workspace.write(omnibasket_toml=toml.replace("quantity", "quantiti"))
    with pytest.raises(ConfigError, match=r"`quantiti`.*`quantity`"):
        workspace.ingest()


def test_a_wrong_mapping_fails_instead_of_rejecting_everything(shop: Callable) -> None:
    lines = "".join(f'A{n},2026-01-05,tea,1,"3,50",\n' for n in range(50))
    workspace = shop(lines, source='decimal = "."')
    with pytest.raises(DataError, match=r"50 of 50 rows .*bad_number 50.*line 2.*decimal"):
        workspace.ingest()
    assert not (workspace.folder / ".omnibasket/history").exists()


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_is_an_error(shop: Callable, content: bytes) -> None:
    workspace = shop()
    workspace.write(shop__1_csv=content)
    with pytest.raises(DataError, match=r"shop/1\.csv"):
        workspace.ingest()


def test_a_path_without_files_is_an_error(shop: Callable) -> None:
    with pytest.raises(DataError, match=r"sources.shop: no file at `shop`"):
        shop().ingest()


def test_two_ingests_at_once_do_not_mix(shop: Callable) -> None:
    import fcntl

    workspace = shop(GOOD)
    workspace.ingest()
    with (workspace.folder / ".omnibasket/ingest.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(DataError, match="another ingest"):
            workspace.ingest()


def _cell() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(
            ["A1", "A2", "2026-01-05", "2026-03-29 02:30", "tea", "1", "2.5", "0", "-1"]
        ),
        st.text(st.characters(codec="utf-8", exclude_categories=["C"]) | st.just("\n"), max_size=6),
    )


def _rows(fewest: int, most: int) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(_cell(), min_size=5, max_size=7), min_size=fewest, max_size=most)


@given(_rows(0, 12), _rows(12, 40))
@example([], [["é", "A1", "x", "0", "2026-01-05", ";'", "n"], ["j", "x", "y", "1", "d;e"]])
@settings(max_examples=3, phases=[Phase.explicit, Phase.generate])
def test_every_row_is_accounted_for(
    tmp_path_factory: Any, few: list[list[str]], many: list[list[str]]
) -> None:
    files = []
    for nth, rows in enumerate((few, many)):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([["A9", "2026-01-05", f"tea{nth}", "1", "1", ""], *rows])
        files.append(out.getvalue())
    settings = "[ingest]\nmax_reject_share = 1.0\n"
    workspace = shop_in(tmp_path_factory.mktemp("rows"))(*files, settings=settings)
    counted = workspace.ingest()["rows"]
    assert counted["read"] == 2 + sum(1 for row in (*few, *many) if row)
    assert counted["read"] == (
        counted["kept"]
        + sum(counted["left_out"].values())
        + counted["repeated"]
        + counted["superseded"]
        + sum(counted["rejected"].values())
    )
    assert sum(counted["rejected"].values()) == len(workspace.rejects())
