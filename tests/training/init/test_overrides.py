"""Settings on the command line override proposals."""

import pytest
from click import UsageError

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose
from training.init.overrides import apply, parse
from training.init.proposal import Proposal

TEXT = "order_no,sold_at,sku,qty,price,net\n1,2024-03-01,A,1,5.00,4.00\n"


@pytest.mark.parametrize(
    ("said", "spec"),
    [
        ("columns.amount=net", "net"),
        ('columns.amount="net"', "net"),
        ('columns.amount={ column = "net", times = 0.01 }', Column(column="net", times=0.01)),
        ("columns.unit_price.decimal=,", Column(column="price", decimal=",")),
        ("columns.title=a = b", "a = b"),
        ('columns.channel.map."e-Shop"=web', Column(map={"e-Shop": "web"})),
    ],
)
def test_columns(proposed: Propose, said: str, spec: object) -> None:
    field = said.split(".")[1].partition("=")[0]
    assert proposed(TEXT, said).columns[field] == spec


def test_nothing_leaves_a_field_out(proposed: Propose) -> None:
    found = proposed(TEXT, "columns.unit_price=")
    assert "unit_price" not in found.columns
    assert "unit_price" in found.optional


def test_a_column_is_one_money_only(proposed: Propose) -> None:
    found = proposed(TEXT, "columns.amount=price")
    assert found.columns["amount"] == "price"
    assert "unit_price" not in found.columns


def test_other_settings(proposed: Propose) -> None:
    said = ("decimal=,", 'time_format=["%d/%m/%Y", "%d-%m-%Y"]', "header_line=3")
    found = proposed(TEXT, *said)
    assert found.settings["decimal"] == ","
    assert found.settings["time_format"] == ["%d/%m/%Y", "%d-%m-%Y"]
    assert found.settings["header_line"] == 3


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("decimal=;", "--set s.decimal=;"),
        ("colums.amount=x", "unknown setting `colums.amount`"),
        ("kind=products", "--source KIND=PATH"),
        ("columns=x", "add a field after `columns`"),
        ('columns.amount={ colum = "x" }', "colum"),
    ],
)
def test_mistakes_are_named(said: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        apply(Proposal("order_lines"), parse([f"s.{said}"]))
    assert message in error.value.format_message()


@pytest.mark.parametrize("said", ["orders", "orders=x", "orders.decimal", "=x"])
def test_the_form_is_asked_for(said: str) -> None:
    with pytest.raises(UsageError, match=r"SOURCE\.SETTING=VALUE"):
        parse([said])
