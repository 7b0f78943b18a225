"""``omnibasket init`` in a terminal and in a script."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.toml_file import Column, Config, load_config, parse_config
from training.cli import main
from training.init.exports import Export
from training.init.mapping import KINDS, propose
from training.init.proposal import Proposal
from training.init.template import Answers, NewSource, render

ONLINE_RETAIL = (
    "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
    "489434,85048,GLASS BALL,12,01/12/2009 07:45,6.95,13085,United Kingdom\n"
    "C489449,22087,PAPER BUNTING,-12,13/12/2009 10:33,2.95,16321,Australia\n"
    "489526,POST,POSTAGE,1,13/12/2009 11:50,18,12533,Germany\n"
)


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    (tmp_path / "online_retail.csv").write_text(ONLINE_RETAIL)
    (tmp_path / "stock.csv").write_text("sku;store_id;on_hand;cost\n85048;1;4;2,50\n")
    (tmp_path / "events.ndjson").write_text('{"event_name": "view_item"}\n')
    (tmp_path / "odd.csv").write_text("foo,bar\n1,2\n")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["init", *map(str, arguments)])


def test_flags_alone_write_a_file_that_loads(exports: Path) -> None:
    shop = exports / "shop"
    result = run(
        "-w",
        shop,
        "--yes",
        "--name",
        "Gift shop",
        "--currency",
        "gbp",
        "--time-zone",
        "Europe/London",
        "--source",
        exports / "online_retail.csv",
        "--source",
        f"stock={exports / 'stock.csv'}",
        "--source",
        exports / "events.ndjson",
    )
    assert result.exit_code == 0, result.output
    config = load_config(shop)
    assert (config.workspace.name, config.workspace.currency) == ("Gift shop", "GBP")
    assert config.workspace.time_zone == "Europe/London"
    assert {name: source.kind for name, source in config.sources.items()} == {
        "online_retail": "order_lines",
        "stock": "stock",
        "events": "ga4_events",
    }
    orders = config.sources["online_retail"]
    assert orders.path == str(exports / "online_retail.csv")
    assert orders.columns["order_id"] == "Invoice"
    assert orders.identifiers == {"account": "Customer ID"}
    assert orders.time_format == "%d/%m/%Y %H:%M"
    assert config.rules.non_product_ids == ["POST"]
    text = (shop / "omnibasket.toml").read_text()
    assert '# discount = "…"' in text
    assert '\nnon_product_ids = ["POST"]' in text
    assert "# Columns that are not used: Country." in text
    assert f"omnibasket ingest --workspace {shop}" in result.output


def test_the_first_rows_are_shown_as_understood(exports: Path) -> None:
    result = run("-w", exports, "--yes", "--source", exports / "online_retail.csv")
    assert "2009-12-13 10:33:00" in result.output
    assert "13085" not in result.output  # customers are not shown
    assert "(hidden)" in result.output
    assert load_config(exports).sources["online_retail"].path == "online_retail.csv"


def test_ids_that_lost_their_zeros_get_them_back(exports: Path) -> None:
    (exports / "articles.csv").write_text("article_id,title\n0108775015,Top\n0910000001,Bra\n")
    (exports / "sales.csv").write_text(
        "order_no,sold_at,sku,qty,price\n1,2020-09-16,108775015,1,2\n1,2020-09-16,910000001,1,2\n"
    )
    run("-w", exports, "--yes", *(f"--source={exports / n}.csv" for n in ("sales", "articles")))
    config = load_config(exports)
    assert config.sources["sales"].columns["item_id"] == Column(column="sku", pad=10)
    assert config.sources["articles"].columns["item_id"] == "article_id"


def test_json_says_what_was_proposed(exports: Path) -> None:
    result = run("-w", exports, "--json", "--source", exports / "online_retail.csv")
    answer = json.loads(result.stdout)
    assert answer["path"] == str(exports / "omnibasket.toml")
    assert answer["sources"][0]["columns"]["item_id"] == "StockCode"
    assert answer["sources"][0]["unused"] == ["Country"]


def test_without_exports_the_file_shows_examples(tmp_path: Path) -> None:
    result = run("-w", tmp_path / "new", "--yes")
    assert "It has no sources yet" in result.output
    assert load_config(tmp_path / "new").sources == {}


def test_the_commented_proposals_are_settings_too(exports: Path) -> None:
    """Removing the ``# `` yields valid settings."""
    run("-w", exports, "--yes")
    lines = (exports / "omnibasket.toml").read_text().splitlines()
    bare = [
        line.removeprefix("# ") for line in lines if " = " in line or line.startswith(("[", "# ["))
    ]
    config = parse_config(tomllib.loads("\n".join(bare)), exports / "omnibasket.toml")
    assert config.sources["erp"].kind == "database"
    assert config.sources["tills"].columns["order_id"] == Column(
        columns=["store", "till", "ticket"]
    )
    assert config.identity.blocked == {"loyalty_card": ["0000*"]}


def test_a_file_is_never_overwritten_unasked(exports: Path) -> None:
    (exports / "omnibasket.toml").write_text("mine")
    result = run("-w", exports, "--yes")
    assert result.exit_code == 3
    assert "replace it with --force" in result.output
    assert (exports / "omnibasket.toml").read_text() == "mine"
    assert run("-w", exports, "--yes", "--force").exit_code == 0
    assert load_config(exports).workspace.name == exports.name


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--currency", "pounds"], 2, "'POUNDS' is not an ISO 4217 code"),
        (["--time-zone", "London"], 2, "'London' is not an IANA time zone"),
        (["--source", "tills=x.csv"], 2, "unknown kind `tills`. Known: till_tickets"),
        (["--source", "database=x"], 2, "add a database by hand"),
        (["--source", "nowhere.csv"], 4, "nowhere.csv: no such file, folder or glob"),
        (["--source", "{folder}/odd.csv"], 2, "columns (foo, bar) do not show its kind"),
    ],
)
def test_mistakes_write_nothing(
    exports: Path, arguments: list[str], code: int, message: str
) -> None:
    given = [argument.replace("{folder}", str(exports)) for argument in arguments]
    result = run("-w", exports / "new", *given)
    assert result.exit_code == code
    assert message in " ".join(result.output.split())
    assert not (exports / "new").exists()


def test_a_person_is_asked(exports: Path) -> None:
    (exports / "week.csv").write_text(
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2020-09-16,a,1,2.5,1\n2020-09-16,a,1,2.5,2\n"
    )
    said = ["Corner shop", "x", "SEK", "Europe/Stockholm", "nowhere.csv", "week.csv", "", "y"]
    said += ["pos", "web", ""]
    output = converse(["init"], said, exports)
    assert "'X' is not an ISO 4217 code" in output
    assert "no such file, folder or glob" in output
    config = load_config(exports)
    assert config.workspace.name == "Corner shop"
    assert config.sources["week"].columns["channel"] == Column(
        column="sales_channel_id", map={"1": "pos", "2": "web"}
    )
    assert config.sources["week"].channel is None


def converse(arguments: list[str], answers: list[str], folder: Path) -> str:
    """Run a command in a terminal and type answers into it."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "training.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
    ) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        output = b""
        while True:
            try:
                block = os.read(ours, 4096)
            except OSError:  # the other end was closed: the command has ended
                break
            if not block:
                break
            output += block
    os.close(ours)
    assert process.returncode == 0, output.decode()
    return output.decode()


def test_what_init_writes_can_be_ingested(exports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in a folder beside the exports, as a user would."""
    monkeypatch.chdir(exports)
    assert run("-w", "shop", "--yes", "--source", "online_retail.csv").exit_code == 0
    result = CliRunner().invoke(main, ["ingest", "-w", "shop", "--json"])
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["rows"]["read"], summary["rows"]["kept"]) == (3, 2)
    assert summary["rows"]["left_out"] == {"non_product": 1}
    assert (summary["lines"], summary["customers"], summary["returns"]) == (2, 2, 1)


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)


@given(
    name=TEXTS,
    path=TEXTS.filter(bool),
    columns=st.lists(
        TEXTS | st.sampled_from(["sku", "qty", "date", "channel", "Store", "type", "email"]),
        min_size=1,
        max_size=6,
        unique_by=str.lower,
    ),
    values=st.lists(TEXTS, min_size=1, max_size=4),
    kind=st.sampled_from(KINDS),
)
def test_whatever_an_export_holds_the_file_loads(
    name: str, path: str, columns: list[str], values: list[str], kind: str
) -> None:
    rows = tuple(dict.fromkeys(columns, value) for value in values)
    export = Export(Path("x"), "csv", tuple(columns), rows)
    proposal: Proposal = propose(export, kind)
    source = NewSource("export", path, export, proposal)
    text = render(Answers(name, "EUR", "UTC", [source]))
    config: Config = parse_config(tomllib.loads(text), Path("omnibasket.toml"))
    assert config.sources["export"].path == path
    assert config.sources["export"].columns == proposal.columns
    assert config.workspace.name == name


def test_what_cannot_be_told_is_refused_with_the_answers_to_give(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "order_no,sold_at,sku,qty,total\n1,2024-03-01,A,1,30\n1,2024-03-01,B,2,30\n2,2024-03-02,A,1,9\n"
    )
    given = ["-w", tmp_path, "--yes", "--source", tmp_path / "sales.csv"]
    refused = run(*given)
    assert refused.exit_code == 3
    assert "--set sales.columns.amount=total" in refused.output
    assert "or --set sales.columns.order_total=" in refused.output
    assert not (tmp_path / "omnibasket.toml").exists()
    answered = run(*given, "--set", "sales.columns.amount=total")
    assert answered.exit_code == 0, answered.output
    assert load_config(tmp_path).sources["sales"].columns["amount"] == "total"


def test_a_field_that_is_needed_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("bought,sold_at,sku,qty\n1,2024-03-01,A,1\n")
    given = ["-w", tmp_path, "--yes", "--source", f"order_lines={tmp_path / 'sales.csv'}"]
    refused = run(*given)
    assert refused.exit_code == 3
    assert "no column was found for the required field `order_id`" in refused.output
    assert not (tmp_path / "omnibasket.toml").exists()
    assert run(*given, "--set", "sales.columns.order_id=bought").exit_code == 0
    assert load_config(tmp_path).sources["sales"].columns["order_id"] == "bought"


def test_an_answer_for_no_source_is_a_mistake(exports: Path) -> None:
    result = run(
        "-w",
        exports / "new",
        "-y",
        "--set",
        "tills.decimal=.",
        "--source",
        exports / "online_retail.csv",
    )
    assert result.exit_code == 2
    assert "there is no source `tills`. Sources: online_retail" in result.output


def test_open_questions_are_in_the_json_and_the_file(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "order_no,sold_at,sku,qty,price,channel\n1,2024-03-01,A,1,3,Kiosk\n2,2024-03-01,A,1,3,web\n"
    )
    result = run("-w", tmp_path, "--json", "--source", tmp_path / "sales.csv")
    (question,) = json.loads(result.stdout)["sources"][0]["questions"]
    assert "`Kiosk` in `channel`" in question["question"]
    assert question["answers"][0] == "--set sales.columns.channel=…"
    assert not question["changes_money_or_people"]
    text = (tmp_path / "omnibasket.toml").read_text()
    assert "# Please check: what do `Kiosk` in `channel` mean?" in text
    assert '# channel = { column = "channel", map = { "Kiosk" = "…", "web" = "web" } }' in text


def test_a_person_is_asked_what_values_do_not_tell(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        "bought,sold_at,sku,qty,total,email\n1,2024-03-01,A,1,30,a@shop.test\n"
        "1,2024-03-01,B,2,30,a@shop.test\n2,2024-03-02,A,1,9,b@shop.test\n"
    )
    said = ["Shop", "EUR", "Europe/Paris", "sales.csv", "order_lines"]
    said += ["nothing", "bought", "columns.order_total", "total", ""]
    output = converse(["init"], said, tmp_path)
    assert "Which column is `order_id`" in output
    assert "There is no such column" in output
    assert "@shop.test" not in output
    columns = load_config(tmp_path).sources["sales"].columns
    assert (columns["order_id"], columns["order_total"]) == ("bought", "total")
    assert "amount" not in columns
