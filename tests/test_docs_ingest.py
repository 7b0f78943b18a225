"""docs/ingest.md names every field, reason, rule, note and count of the code, and no other."""

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from recsys.config.toml_file import Source, load_config
from recsys.ingest import rejects
from recsys.ingest.columns.time_zones import FIRST_YEAR, LAST_YEAR
from recsys.ingest.files import export_files
from recsys.ingest.notes import NOTES
from recsys.ingest.orders import corrections
from recsys.ingest.sources import (
    catalogue,
    events,
    order_lines,
    shopify,
    variants,
    woocommerce,
    woocommerce_columns,
)
from recsys.schema import REJECTS, TABLES
from recsys.values import product_statuses
from recsys.values.vocabulary import fold
from training.ingest import ingest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ingest.md").read_text(encoding="utf-8")
CODE = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "recsys" / "ingest").rglob("*.py")}
KINDS = {
    "till_tickets, order_lines, database": (order_lines.FIELDS, order_lines.staged_lines),
    "shopify_orders": (shopify.FIELDS, shopify.staged_lines),
    "woocommerce_orders": (woocommerce.FIELDS, woocommerce.staged_lines),
    "products": (catalogue.PRODUCT_FIELDS, catalogue.staged_products),
    "locations": (catalogue.LOCATION_FIELDS, catalogue.staged_locations),
    "stock": (catalogue.STOCK_FIELDS, catalogue.staged_stock),
}


def part(heading: str) -> str:
    """What stands under a heading, with the headings below it."""
    level = "###" if f"\n### {heading}\n" in PAGE else "##"
    after = PAGE.split(f"\n{level} {heading}\n", 1)[1]
    return re.split(rf"\n#{{2,{len(level)}}} ", after)[0]


def first_cells(text: str, head: str) -> set[str]:
    """Names in the first column of the table whose head begins with ``head``."""
    table = text[text.index(f"| {head} |") :].split("\n\n", 1)[0]
    return {
        name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }


def calls(pattern: str, *names: str) -> set[str]:
    """What a pattern captures in some files of ``recsys/ingest``; all by default."""
    found: set[str] = set()
    for name in names or CODE:
        found |= set(re.findall(pattern, CODE[name]))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_told_and_the_needed_ones_stand_out(kind: str) -> None:
    known, adapter = KINDS[kind]
    told = part(kind)
    assert first_cells(told, "field") == set(known)
    needed = re.findall(r"\.require\(([^)]*)\)", inspect.getsource(adapter))
    assert set(re.findall(r"\*\*`(\w+)`\*\*", told)) == set(re.findall(r"\w+", ",".join(needed)))


def test_every_kind_has_its_part() -> None:
    headings = set(re.findall(r"\w+", " ".join(re.findall(r"\n### (.*)\n", PAGE))))
    kinds = re.findall(r"'(\w+)'", str(Source.__annotations__["kind"]))
    assert kinds
    assert set(kinds) == headings


def test_shopifys_columns_are_right() -> None:
    rows = re.findall(r"^\| (.*) \| (`.*`) \|$", part("shopify_orders"), re.MULTILINE)
    told = {
        field: column
        for fields, named in rows
        for field, column in zip(
            re.findall(r"`(\w+)`", fields), re.findall(r"`([^`]+)`", named), strict=True
        )
    }
    assert told == shopify.DEFAULTS
    assert all(f"`{column}`" in part("shopify_orders") for column in shopify.IDENTIFIERS.values())


def test_woocommerces_columns_and_words_are_right() -> None:
    told = part("woocommerce_orders")
    columns = {name for names in woocommerce.NAMES.values() for name in names[:1]}
    columns |= {name for names in woocommerce.IDENTIFIERS.values() for name in names[:1]}
    assert {name for name in columns if f"`{name}`" not in told} == set()
    words = {
        w for w in (*woocommerce_columns.SOLD, *woocommerce_columns.NOT_SOLD) if "refunded" not in w
    }
    words -= {"canceled", "pending-payment"}  # other spellings
    assert {word for word in words if f"`{word}`" not in told} == set()


def test_events_and_their_identifiers_are_named() -> None:
    told = part("ga4_events")
    assert {name for name in events.COMMERCE if f"`{name}`" not in told} == set()
    assert {
        name for pair in events.IDENTIFIERS.items() for name in pair if f"`{name}`" not in told
    } == set()


def test_every_reason_for_a_reject_is_explained_and_no_other() -> None:
    reasons = calls(r'\.reject\("(\w+)"')
    reasons |= {f"missing_{name}" for name in calls(r'"(\w+)", required=True')}
    reasons |= {f"missing_{name}" for name in calls(r'\.moment\("(\w+)"\)')}
    reasons |= calls(r'"reason": "(\w+)"')
    reasons |= _unsplittable()
    assert len(reasons) > 15
    assert first_cells(part("Rejected rows"), "reason") == reasons


def _unsplittable() -> set[str]:
    """Reasons for which the engine cannot split a row; columns are text, so none fails a cast."""
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE page AS SELECT * FROM read_csv(?, columns = {line: 'VARCHAR'}, "
            "auto_detect = false, store_rejects = true, rejects_table = 'rejects')",
            [str(ROOT / "docs" / "ingest.md")],
        )
        kinds = con.table("rejects").select("error_type").types
    return {name.lower().replace(" ", "_") for name in kinds[0].children[0][1]} - {"cast"}


def test_every_rule_is_explained_and_no_other() -> None:
    rules = calls(r'rules_in_order\.append\(\s*\("(\w+)"', "corrections.py")
    rules.add(corrections.CANCELLED)
    assert rules
    assert first_cells(part("What is left out"), "rule") == rules
    assert corrections.__doc__
    assert all(f"``{rule}``" in corrections.__doc__ for rule in rules)
    assert calls(r'counts\["left_out_events"\] = \{"(\w+)"') == {"not_a_commerce_event"}
    assert "`not_a_commerce_event`" in PAGE


def test_every_note_is_explained_and_no_other() -> None:
    assert first_cells(part("What the summary counts"), "note") == NOTES.keys()
    before = PAGE.split("\n## What the summary counts")[0]
    assert [note for note in NOTES if f"(`{note}`)" not in before] == []
    code = "".join(text for name, text in CODE.items() if name != "notes.py")
    assert [note for note in NOTES if f'"{note}"' not in code] == []


def test_every_count_of_the_summary_is_explained(tmp_path: Path) -> None:
    settings = (
        '[sources.shop]\nkind = "order_lines"\npath = "1.csv"\nchannel = "web"\n'
        '[sources.shop.columns]\norder_id = "order"\n'
    )
    (tmp_path / "omnibasket.toml").write_text(settings)
    (tmp_path / "1.csv").write_text("order,item_id,occurred_at,quantity\n1,tea,2026-01-05,1\n")
    summary = ingest(load_config(tmp_path), datetime(2026, 3, 1, tzinfo=UTC), lambda *_: None)
    told = part("What the summary counts")
    names = {*summary, *summary["rows"], *summary["other_rows"], *summary["links"]}
    names |= {name for channel in summary["channels"] for name in channel} - {"channel"}
    assert {name for name in names if f"`{name}`" not in told} == set()
    lies = part("What lies where")
    state = tmp_path / ".omnibasket"
    found = {path.name for path in state.iterdir()} | {"history", "summary.json", "rejects.csv"}
    assert {name for name in found if name not in lies and "-wal" not in name} == set()
    version = {path.stem for path in (state / "history" / summary["version"]).glob("*.parquet")}
    assert version == set(TABLES)
    assert {name for name in version if f"`{name}`" not in lies} == set()


def test_columns_of_rejects_are_explained() -> None:
    assert first_cells(part("Rejected rows"), "column") == set(REJECTS.names)


def test_what_else_the_code_decides() -> None:
    names = [*export_files._TEXT, ".parquet", *export_files._ENDINGS["ga4_events"]]
    assert [ending for ending in names if f"`{ending}`" not in part("Files")] == []
    assert str(FIRST_YEAR) in part("Times")
    assert str(LAST_YEAR) in part("Times")
    assert f"at least {rejects._FEW_REJECTS} of them" in part("When an ingest fails")
    told = part("till_tickets, order_lines, database") + part("products")
    assert {word for word in order_lines.LINE_TYPES if f"`{word}`" not in told} == set()
    listed = part("products")
    for words, begin in (
        (product_statuses.SHOWN, "- shown:"),
        (product_statuses.HIDDEN, "- not shown:"),
    ):
        named = re.findall(r"`([^`]+)`", re.split(r"\n- |\n\n", listed.split(begin)[1])[0])
        assert len(named) > 15
        assert [word for word in named if fold(word) not in words] == []
    rules = (variants.IMAGE_ROW, variants.PARENT_ROW)
    assert {name for name in (*catalogue.ATTRIBUTES, *rules) if f"`{name}`" not in listed} == set()
    assert all(f"`{word}`" in part("stock") for word in catalogue.NOT_STOCKED[:2])
