"""Currencies: which codes there are, how many digits each has, and which signs stand for them.

Called by ``ingest`` for prices, by the ledger's ``events``, and by what writes amounts for people.
"""

from functools import cache

from babel.core import get_global

_DOLLARS = (
    "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BRL JMD TTD BBD BSD BZD XCD FJD GYD LRD NAD "
    "SRD BND KYD DOP NIO BMD"
)
#: What stands beside a price, lower case → the codes it may stand for.
SIGNS: dict[str, frozenset[str]] = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": _DOLLARS,
        "us$": "USD",
        "ca$": "CAD",
        "c$": "CAD NIO",
        "a$": "AUD",
        "au$": "AUD",
        "nz$": "NZD",
        "hk$": "HKD",
        "s$": "SGD",
        "nt$": "TWD",
        "mx$": "MXN",
        "r$": "BRL",
        "rd$": "DOP",
        "€": "EUR",
        "euro": "EUR",
        "euros": "EUR",
        "£": "GBP EGP LBP SYP SDG SSP FKP GIP SHP",
        "e£": "EGP",
        "¥": "JPY CNY",
        "円": "JPY",
        "元": "CNY TWD",
        "₺": "TRY",
        "tl": "TRY",
        "zł": "PLN",
        "zl": "PLN",
        "kr": "SEK NOK DKK ISK",
        "kr.": "SEK NOK DKK ISK",
        "₹": "INR",
        "rs": "INR PKR LKR NPR MUR SCR",
        "rs.": "INR PKR LKR NPR MUR SCR",
        "₨": "PKR LKR NPR",
        "₩": "KRW KPW",
        "₾": "GEL",
        "₽": "RUB",
        "руб": "RUB",
        "руб.": "RUB",
        "₴": "UAH",
        "₪": "ILS",
        "฿": "THB",
        "₫": "VND",
        "đ": "VND",
        "₱": "PHP CUP",
        "₦": "NGN",
        "₵": "GHS",
        "₡": "CRC",
        "₸": "KZT",
        "₼": "AZN",
        "֏": "AMD",
        "₲": "PYG",
        "﷼": "IRR SAR YER OMR QAR",
        "ریال": "IRR",
        "د.إ": "AED",
        "ر.س": "SAR",
        "ج.م": "EGP",
        "د.ك": "KWD",
        "د.ب": "BHD",
        "ر.ع": "OMR",
        "ر.ق": "QAR",
        "د.ت": "TND",
        "د.م": "MAD",
        "fr": "CHF XOF XAF",
        "fr.": "CHF XOF XAF",
        "sfr": "CHF",
        "sfr.": "CHF",
        "kč": "CZK",
        "kc": "CZK",
        "ft": "HUF",
        "lei": "RON MDL",
        "leu": "RON MDL",
        "лв": "BGN",
        "лв.": "BGN",
        "din": "RSD",
        "din.": "RSD",
        "дин": "RSD",
        "дин.": "RSD",
        "rp": "IDR",
        "rm": "MYR",
        "s/": "PEN",
        "s/.": "PEN",
    }.items()
}


@cache
def currency_codes() -> frozenset[str]:
    """All ISO 4217 codes, past ones with them."""
    return frozenset(get_global("all_currencies"))


def currency_digits(code: str) -> int:
    """Digits of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.

    Parameters
    ----------
    code : str
        ISO 4217.

    Returns
    -------
    int
        Digits behind the point; 2 where the code is not known.
    """
    fractions = get_global("currency_fractions")
    return int(fractions.get(code, fractions["DEFAULT"])[0])


@cache
def unusual_units() -> dict[str, int]:
    """Minor units in one of each currency in which it is not 100 of them, by code."""
    digits = {code: currency_digits(code) for code in sorted(currency_codes())}
    return {code: 10**n for code, n in digits.items() if n != 2}


def write_amount(amount_minor: float, code: str) -> str:
    """Write an amount as people do: ``$2.07``, ``¥300``.

    Parameters
    ----------
    amount_minor : float
        In the currency's minor unit, such as cents; rounded to whole ones.
    code : str
        ISO 4217.

    Returns
    -------
    str
        In English.
    """
    from babel.numbers import format_currency  # loads what only people need

    return str(
        format_currency(round(amount_minor) / 10 ** currency_digits(code), code, locale="en")
    )


def currencies_of_sign(sign: str) -> frozenset[str]:
    """Codes that a sign or code beside a price may stand for; none where it is not known.

    Parameters
    ----------
    sign : str
        In any case: ``$``, ``kr``, ``eur``.

    Returns
    -------
    frozenset of str
        ISO 4217 codes.
    """
    if found := SIGNS.get(sign.lower()):
        return found
    code = sign.upper()
    return frozenset({code}) if code in currency_codes() else frozenset()
