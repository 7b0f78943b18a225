"""Phone numbers as people type them, against what the library says they are."""

import re

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.config.settings import WorkspaceSettings
from recsys.config.toml_file import Config, Source
from recsys.values.phone_numbers import country_of, normalise_phone

ONE_IN_GB = [
    "+44 7700 900001",
    "07700 900001",
    "0044 7700 900001",
    "+44 (0)7700 900001",
    "'+447700900001",
    "'07700900001",
    "00 44 7700 900001",
    "447700900001",
    "7700900001",
    "(07700) 900-001",
    "07700.900.001",
    "+44-7700-900001",
    "tel:+44-7700-900001",
    "07700 900001 ext 12",
    "07700 900001 x12",
    "+44 7700 900001;ext=7",
    "07700\u00a0900001",
    "\u202a+44 7700 900001\u202c",
    "０７７００ ９００００１",
    "+44 7700 900001 ",
    "0 7700 900001",
    "+4407700900001",
]


@pytest.mark.parametrize("text", ONE_IN_GB)
def test_is_one_number(text: str) -> None:
    assert normalise_phone(text, "GB") == "+447700900001"


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("0171 2345678", "DE", "+491712345678"),
        ("+49 171 2345678", "GB", "+491712345678"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("011 44 7700 900001", "US", "+447700900001"),
        ("(555) 123-4567", "US", "+15551234567"),
        ("1 555 123 4567", "US", "+15551234567"),
        ("۰۹۱۲۳۴۵۶۷۸۹", "IR", "+989123456789"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("0171/2345678", "DE", "+491712345678"),
        ("613 555 0123", "CA", "+16135550123"),
        ("+44 7700 900001", None, "+447700900001"),
        ("0044 7700 900001", None, "+447700900001"),
        ("001-415-555-2671x123", "US", "+14155552671"),
        ("0049 170 1234567", "US", "+491701234567"),
    ],
)
def test_is_read_where_it_was_typed(text: str, country: str | None, expected: str) -> None:
    assert normalise_phone(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("07700 900001", None, "07700900001"),
        ("07700 900001", "ZZ", "07700900001"),
        ("555-1234", "US", "5551234"),
        ("300-0000", "CA", "3000000"),
        ("+999 123 456", "GB", "+999123456"),
        ("call me", "GB", ""),
        ("", "GB", ""),
    ],
)
def test_stays_as_typed_where_it_cannot_be_told(
    text: str, country: str | None, expected: str
) -> None:
    assert normalise_phone(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("1111111", "DE", "1111111"),
        ("+49 111 1111", "DE", "1111111"),
        ("+1 111 111 1111", "US", "1111111111"),
        ("000 000 000", "DE", "00000000"),
        ("112", "DE", "112"),
        ("0123456789", "DE", "123456789"),
    ],
)
def test_what_nobody_has_does_not_get_a_country(text: str, country: str, expected: str) -> None:
    assert normalise_phone(text, country) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("447700900001.0", "GB", "+447700900001"),
        ("7700900001.0", "GB", "+447700900001"),
        ("491701234567", "DE", "+491701234567"),
        ("491701234567.0", "DE", "+491701234567"),
        ("4366412345678", "AT", "+4366412345678"),
        ("905321234567", "TR", "+905321234567"),
        ("995555123456", "GE", "+995555123456"),
        ("39171234", "DE", "+4939171234"),
    ],
)
def test_what_a_spreadsheet_made_of_it(text: str, country: str, expected: str) -> None:
    assert normalise_phone(text, country) == expected


@pytest.mark.parametrize(
    "text",
    [
        "07700900001/07700900002",
        "07700 900001, 07700 900002",
        "07700900001; 020 7946 0000",
        "07700 900001 or 020 7946 0000",
        "+447700900001 | 112",
        "07700 900001\n07700 900002",
        "07700 900001 / 07700 900002 / 07700 900003",
        "07700900001 - 07700900002",
    ],
)
def test_of_several_numbers_in_a_cell_the_first_counts(text: str) -> None:
    assert normalise_phone(text, "GB") == "+447700900001"


def _by_the_library(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.ValidationResult.IS_POSSIBLE
    if phonenumbers.is_possible_number_with_reason(number) != possible:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_mobile_without_plus(text: str, country: str, found: str) -> bool:
    """Tell whether ``found`` is a mobile number of the country, of which the plus was lost."""
    kinds = phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    number = phonenumbers.parse(found)
    typed_so = phonenumbers.parse("+" + text.removesuffix(".0"))
    return phonenumbers.number_type(number) in kinds and typed_so == number


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@st.composite
def typed(draw: st.DrawFn) -> tuple[str, str]:
    """Numbers that look like those of a country, typed in it or in another one."""
    country = draw(st.sampled_from(REGIONS))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    pattern = metadata.general_desc.national_number_pattern
    national = draw(
        st.from_regex(pattern, fullmatch=True, alphabet="0123456789")
        | st.text("0123456789", min_size=1, max_size=13)
    )
    code = str(metadata.country_code)
    before = draw(
        st.sampled_from(
            [
                "",
                "0",
                "1",
                "8",
                "+",
                "+0",
                code,
                f"+{code}",
                f"+{code} (0)",
                f"00{code}",
                f"011{code}",
                metadata.national_prefix or "",
                f"00{code}0",
            ]
        )
    )
    place = draw(st.integers(0, len(national)))
    sign = draw(st.sampled_from(["", " ", "-", ".", " ext ", "/", ") "]))
    where = draw(st.sampled_from([country, country, "GB", "US", "IT"]))
    return before + national[:place] + sign + national[place:], where


@settings(max_examples=250)
@given(typed())
@example(("003760/10000000", "US"))
@example((" 00980000", "US"))
@example(("011975.0", "BT"))
@example(("011374.0", "AM"))
@example(("011971.0", "AE"))
def test_is_what_the_library_says(case: tuple[str, str]) -> None:
    text, country = case
    if re.fullmatch(r"\s*\+?[0-9]{6,}\.0\s*", text):  # a program took it for one to reckon with
        text = text.partition(".")[0]
    first = text.split("/")[0]
    blankless = [form.lstrip() for form in (first, text)]
    abroad = ["+" + form[2:] for form in blankless if form.startswith("00")]
    forms = (text, first, *abroad)  # 00 may be typed where it is not dialled
    read = (_by_the_library(form, country) for form in forms)
    expected = next((number for number in read if number), None)
    found = normalise_phone(text, country)
    if expected is None:
        assert found == "".join(sign for sign in text if sign in "+0123456789")
    elif found.startswith("+"):
        assert found == expected or _is_mobile_without_plus(text, country, found)
    else:  # a number that nobody has
        assert expected.endswith(found)
        assert len(found) <= 4 or len(set(found)) == 1 or found in "01234567890 9876543210"


@settings(max_examples=100)
@given(typed())
def test_twice_is_once(case: tuple[str, str]) -> None:
    text, country = case
    once = normalise_phone(text, country)
    try:
        again = phonenumbers.parse(once)
    except phonenumbers.NumberParseException:
        return
    # The library reads +61061000, which nobody can have, as something else the second time, and
    # +591 0800100000 without its zero.
    stable = phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) == once
    if stable and phonenumbers.is_valid_number(again):
        assert normalise_phone(once, country) == once


def test_whose_country_it_is() -> None:
    def config(**settings: str) -> Config:
        return Config(workspace=WorkspaceSettings(**settings))  # type: ignore[arg-type]

    french = Source(kind="order_lines", country="FR")
    plain = Source(kind="order_lines")
    assert country_of(config(time_zone="Europe/London")) == "GB"
    assert country_of(config(time_zone="US/Eastern")) == "US"
    assert country_of(config(time_zone="Europe/London", country="IE"), plain) == "IE"
    assert country_of(config(time_zone="Europe/London", country="IE"), french) == "FR"
    assert country_of(config(time_zone="UTC")) is None
    assert country_of(config(time_zone="Etc/GMT+3")) is None
