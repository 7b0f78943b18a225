"""Columns that identify the customer; their values are never shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsys.config.toml_file import Column
from tests.training.init.conftest import Propose
from training.cli import main

NAMES = ["Ann Lee", "Bob Ray", "Cat Orr", "Dan Poe"]


def table(name: str, *values: str) -> str:
    rows = "".join(
        f"{n};2024-03-{n:02} 10:00;A{n % 3};1;5.00;{value}\n" for n, value in enumerate(values, 1)
    )
    return f"order_no;sold_at;sku;qty;price;{name}\n{rows}"


@pytest.mark.parametrize("name", ["Kontakt", "x", "Customer", "User", "Login"])
def test_emails_are_known_by_their_shape(proposed: Propose, name: str) -> None:
    found = proposed(table(name, "ann@shop.test", "bob@shop.test", ""))
    assert found.identifiers == {"email": name}


@pytest.mark.parametrize("name", ["WhatsApp", "Contact", "Phone", "携帯番号"])
def test_phones_are_known_by_their_shape(proposed: Propose, name: str) -> None:
    found = proposed(table(name, "+49 170 1234567", "+44 7700 900001", "0044 7700 900002"))
    assert found.identifiers == {"phone": name}


def test_long_numbers_are_not_taken_for_phones(proposed: Propose) -> None:
    found = proposed(table("Barcode of box", "4006381333931", "4006381333932"))
    assert found.identifiers == {}


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("Customer", NAMES, "names"),
        ("Card number", ["**** 1234", "**** 5678", "XXXX 1111", "**** 9999"], "masked"),
        ("Card", ["Visa", "Mastercard", "Visa", "Amex"], "words"),
        ("Phone", ["iOS", "Android", "iOS", "iOS"], "no phone numbers"),
        ("E-mail", ["yes", "no", "yes", "no"], "no e-mails"),
    ],
)
def test_what_does_not_name_one_person_is_no_identifier(
    proposed: Propose, name: str, values: list[str], why: str
) -> None:
    found = proposed(table(name, *values))
    assert found.identifiers == {}
    assert any(f"`{name}` is not used" in check and why in check for check in found.checks)


def test_guests_are_nobody(proposed: Propose) -> None:
    found = proposed(table("Customer ID", "0", "0", "71", "0"))
    assert found.identifiers == {"account": "Customer ID"}
    assert found.blocked == {"account": ["0"]}
    assert any("`0` in `Customer ID`" in c and "3 of 4" in c for c in found.checks)
    walk_in = proposed(table("Client", "Laufkunde", "K17", "Laufkunde", "K18"))
    assert walk_in.blocked == {"account": ["Laufkunde"]}
    nobody = proposed(table("Customer ID", "12", "13", "14"))
    assert nobody.blocked == {}


def test_a_default_is_named_without_its_value(proposed: Propose) -> None:
    found = proposed(table("Customer ID", *["88231177"] * 11, "17", "18", "19"))
    (check,) = (check for check in found.checks if "Customer ID" in check)
    assert "11 of 14 rows" in check
    assert "88231177" not in check


def test_spoiled_cards_are_said(proposed: Propose) -> None:
    found = proposed(table("Loyalty card", "2.10001E+11", "2.10001E+11"))
    assert any("they identify nobody" in check for check in found.checks)


SECRETS = [
    "ann.lee@shop.test",
    "bob@shop.test",
    "+49 170 1234567",
    "+49 170 7654321",
    "2600001234567",
    "2600007654321",
    "4711987654",
    "4711123456",
    "Ann Lee",
    "Bob Ray",
]


@pytest.mark.parametrize("flags", [["--yes"], ["--json"], ["--yes", "--source", "x"]])
@pytest.mark.parametrize("header", [True, False])
def test_nothing_that_names_a_customer_is_shown(
    tmp_path: Path, flags: list[str], header: bool
) -> None:
    """Not in the preview, a check, a question, an error, the JSON, or the file."""
    mail, other, phone, second, card, last, account, guest, name, man = SECRETS
    head = "order_no,sold_at,sku,qty,total,contact,tel,Kundenkarte,customer_id,Customer,Channel\n"
    rows = (
        f"1,2024-03-01 10:00,A,1,30.00,{mail},{phone},{card},{account},{name},{mail}\n"
        f"1,2024-03-01 10:00,B,1,30.00,{mail},{phone},{card},{account},{name},{mail}\n"
        f"2,2024-03-02 10:00,B,1,10.00,{other},{second},{last},{guest},{man},{other}\n"
    )
    path = tmp_path / "sales.csv"
    path.write_text((head if header else "") + rows)
    arguments = ["init", "-w", str(tmp_path / "shop"), "--source", str(path), *flags]
    result = CliRunner().invoke(main, arguments)
    assert isinstance(result.exception, SystemExit | None)
    shown = result.output
    assert not [secret for secret in SECRETS if secret in shown]
    assert not (tmp_path / "shop").exists()


def test_the_preview_hides_customers(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        "order,sold_at,sku,qty,price,email\n#1,2024-03-01 10:00,A,1,5,ann@shop.test\n"
        "#1,2024-03-01 10:05,A,1,5,bob@shop.test\n"
    )
    result = CliRunner().invoke(main, ["init", "-y", "-w", str(tmp_path), "--source", str(path)])
    assert result.exit_code == 0, result.output
    assert "(hidden)" in result.output
    assert "@shop.test" not in result.output
    assert "@shop.test" not in (tmp_path / "omnibasket.toml").read_text()
    answer = CliRunner().invoke(
        main, ["init", "-w", str(tmp_path / "b"), "--json", "--source", str(path)]
    )
    assert "@shop.test" not in answer.output
    assert json.loads(answer.stdout)["sources"][0]["identifiers"] == {"email": "email"}


def test_names_of_one_word_are_no_ids_either(proposed: Propose) -> None:
    found = proposed(table("Customer", "Ann", "Bob", "Ann", "Cat"))
    assert found.identifiers == {}
    assert any("`Customer` is not used" in check for check in found.checks)
    assert proposed(table("Customer", "C-17", "C-18")).identifiers == {"account": "Customer"}


def test_an_address_among_words_is_not_written_down(proposed: Propose) -> None:
    found = proposed(table("Status", "cancelled by ann@shop.test", "completed"))
    spec = found.columns["cancelled"]
    assert isinstance(spec, Column)
    assert spec.map == {"completed": "no"}
    assert any("are rejected until" in check for check in found.checks)
    found = proposed(table("Channel", "Call of 0170 1234567", "Online"))
    assert found.values["channel"] == ("Channel", {"Online": "web"})
