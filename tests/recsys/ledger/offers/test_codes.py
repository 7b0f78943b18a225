"""A code survives being read out and typed."""

import pytest

from recsys.ledger.offers.codes import Codes, is_offer_id, read_code


def test_codes_and_ids_are_told_apart() -> None:
    names = [Codes("k" * 40).new() for _ in range(200)]
    codes, ids = {name.code for name in names}, {name.offer_id for name in names}
    assert len(codes) == len(ids) == 200
    assert all(read_code(code) == code.replace("-", "") and not is_offer_id(code) for code in codes)
    assert all(is_offer_id(offer_id) and read_code(offer_id) is None for offer_id in ids)
    assert (
        len({letter for code in codes for letter in code}) == 33
    )  # all of the alphabet, and dashes


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("0123-4567-89AB-CDEF", "0123456789ABCDEF"),
        (" 0123 4567 89ab cdef ", "0123456789ABCDEF"),
        ("oil3-4567-89ab-cdef", "011345678 9ABCDEF".replace(" ", "")),
        ("0123-4567-89AB-CDE", None),
        ("0123-4567-89AB-CDEU", None),
        ("", None),
        ("0123-4567-89AB-CDEF-0", None),
    ],
)
def test_however_it_is_typed(typed: str, code: str | None) -> None:
    assert read_code(typed) == code
