"""``init`` maps a column that says who accepts marketing, and only such a column."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from recsys.config import load_config
from tests.training.init.conftest import Propose
from training.cli import main

HEAD = "order no,date,sku,qty,price,email,"
ROWS = (
    "1,2026-01-05 10:00,A,1,2.50,ada@shop.test,{}\n"
    "2,2026-01-06 10:00,B,1,2.50,bo@shop.test,{}\n"
    "3,2026-01-07 10:00,B,1,2.50,cy@shop.test,{}\n"
)


@pytest.mark.parametrize(
    ("name", "words", "mapped"),
    [
        ("Newsletter", ("ja", "nein", ""), True),
        ("Accepts Marketing", ("yes", "no", "no"), True),
        ("Newsletter", ("spring", "summer", "spring"), False),  # which one, not whether
        ("Newsletter", ("", "", ""), False),
        ("Gift wrap", ("yes", "no", "no"), False),
    ],
)
def test_only_a_column_of_yes_and_no_is_mapped(
    proposed: Propose, name: str, words: tuple[str, ...], mapped: bool
) -> None:
    found = proposed(HEAD + name + "\n" + ROWS.format(*words))
    assert found.consents == ({"marketing": {"email": name}} if mapped else {})
    assert any("accepts marketing by e-mail" in check for check in found.checks) is mapped
    assert (name in found.unused) is not mapped


@pytest.mark.parametrize(
    ("name", "consents"),
    [
        ("Profiling consent", {"profiling": {"all": "Profiling consent"}}),
        ("Einwilligung Profilbildung", {"profiling": {"all": "Einwilligung Profilbildung"}}),
        ("Accepts personalization", {"personalisation": {"all": "Accepts personalization"}}),
        ("Profile", {}),
    ],
)
def test_each_purpose_has_columns_of_its_own(
    proposed: Propose, name: str, consents: dict[str, dict[str, str]]
) -> None:
    found = proposed(HEAD + name + "\n" + ROWS.format("yes", "no", "no"))
    assert found.consents == consents
    marked = [check for check in found.checks if f"`{name}` says who consents" in check]
    assert len(marked) == len(consents)


def test_columns_of_several_purposes_are_all_mapped(proposed: Propose) -> None:
    rows = ROWS.format("yes,no", "no,no", "no,yes")
    found = proposed(HEAD + "Newsletter,Profiling\n" + rows)
    assert found.consents == {
        "marketing": {"email": "Newsletter"},
        "profiling": {"all": "Profiling"},
    }


def test_shopify_s_column_is_written_to_the_settings(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(
        "Name,Email,Financial Status,Accepts Marketing,Created at,Currency,Lineitem quantity,"
        "Lineitem name,Lineitem price,Lineitem sku\n"
        "#1,ada@shop.test,paid,yes,2026-01-05 10:00:00 +0100,EUR,1,Tea,2.00,tea\n"
    )
    arguments = ["init", "-w", str(tmp_path), "--yes", "--source", str(tmp_path / "orders.csv")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    (source,) = load_config(tmp_path).sources.values()
    assert source.kind == "shopify_orders"
    assert source.consents == {"marketing": {"email": "Accepts Marketing"}}
