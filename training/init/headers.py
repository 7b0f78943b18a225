"""Matches column names to fields: case-folded, with abbreviations spelled out.

In: the header of an export, and the usual names of a field. Out: the columns that may be the field,
best match first. Called by ``mapping`` and the modules that examine values.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache

#: Letters without a Unicode decomposition → their plain form.
_LETTERS = str.maketrans(
    {
        "ł": "l",
        "ı": "i",
        "ø": "o",
        "đ": "d",
        "æ": "ae",
        "œ": "oe",
        "ي": "ی",
        "ى": "ی",
        "ك": "ک",
        "ة": "ه",
        "ـ": None,
    }
)
_SHORT = {
    "acct": "account",
    "amt": "amount",
    "art": "article",
    "cat": "category",
    "ccy": "currency",
    "cd": "code",
    "chan": "channel",
    "cur": "currency",
    "curr": "currency",
    "cust": "customer",
    "desc": "description",
    "descr": "description",
    "disc": "discount",
    "dt": "date",
    "ext": "extended",
    "inv": "invoice",
    "itm": "item",
    "loc": "location",
    "mob": "mobile",
    "nbr": "number",
    "no": "number",
    "nr": "number",
    "num": "number",
    "ord": "order",
    "prc": "price",
    "prod": "product",
    "qnty": "quantity",
    "qty": "quantity",
    "rcpt": "receipt",
    "str": "store",
    "subcat": "subcategory",
    "tel": "telephone",
    "tot": "total",
    "tran": "transaction",
    "trans": "transaction",
    "trn": "transaction",
    "trx": "transaction",
    "ttl": "total",
    "txn": "transaction",
    "val": "value",
    "wh": "warehouse",
}
_WHOLE_TEXT = (
    "account amount article card code currency customer date discount id invoice item line "
    "member name order price product quantity receipt sales sku status store tax ticket time "
    "total type unit value"
)
#: Words that are joined without a separator: ``ORDERNO``, ``CUSTID``, ``UNITPRC``.
_WHOLE = tuple(_WHOLE_TEXT.split())
_BETWEEN_TEXT = "d da de del dell della des di du l la le of the"
#: Connecting words: ``N° de commande``, ``date of sale``.
_BETWEEN = set(_BETWEEN_TEXT.split())
_NET_TEXT = "netto net excltax extax exvat exklmwst ht senzaiva sinimpuestos kdvharic 税抜"
#: Suffixes that do not change what a measure is: without tax, and other.
_NET = tuple(_NET_TEXT.split())
_ENDS = (
    *_NET,
    "brutto",
    "gross",
    "incltax",
    "inctax",
    "inclvat",
    "incvat",
    "inklmwst",
    "inklust",
    "ttc",
    "coniva",
    "ivaincluido",
    "ivaincl",
    "kdvdahil",
    "税込",
    "eur",
    "euro",
    "usd",
    "gbp",
    "chf",
    "pln",
    "jpy",
    "sek",
    "円",
)
#: Prefixes that do not change what a measure is: ``sales_qty``, ``item_price``.
_PREFIXES = ("line", "lineitem", "item", "product", "sales", "sale", "order", "sold")


@cache
def fold(name: str) -> str:
    """Return a name in lower case without blanks, symbols and accents, in any script."""
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    return "".join(c for c in decomposed if c.isalnum()).translate(_LETTERS)


@cache
def forms(name: str) -> tuple[str, ...]:
    """Return the forms of a column's name: as it is, and with abbreviations spelled out."""
    spaced = (
        re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
        .replace("#", " no ")
        .replace("№", " no ")
        .replace("º", "")
    )
    words = [fold(word) for word in re.split(r"[\W_]+", spaced) if word]
    spelled = "".join(_SHORT.get(word, word) for word in (words if words[1:] else _parts(words)))
    bare = "".join(word for word in words if word not in _BETWEEN)
    return tuple(dict.fromkeys((fold(name), spelled, bare)))


def _parts(words: list[str]) -> list[str]:
    """Split a word into the fewest known words and abbreviations."""
    if not words:
        return words
    (word,) = words
    best: list[list[str] | None] = [[], *([None] * len(word))]
    for end in range(1, len(word) + 1):
        for part in (*_WHOLE, *_SHORT):
            begun = best[end - len(part)] if len(part) <= end else None
            if begun is None or not word.endswith(part, 0, end):
                continue
            known = best[end]
            if known is None or len(begun) + 1 < len(known):
                best[end] = [*begun, part]
    return best[-1] or words


def phrases(text: str) -> tuple[str, ...]:
    """Fold a comma-separated list of names."""
    return tuple(dict.fromkeys(folded for part in text.split(",") if (folded := fold(part))))


def ranked(columns: Iterable[str], known: Collection[str], *, measure: bool = False) -> list[str]:
    """List the columns with one of the known names, best match first.

    Parameters
    ----------
    columns : iterable of str
        The export's columns.
    known : collection of str
        Folded names, best first.
    measure : bool
        Also match names with a neutral prefix.
    """
    order = {name: ix for ix, name in reversed(list(enumerate(known)))}
    if measure:
        for ix, name in reversed(list(enumerate(known))):
            for prefix in _PREFIXES:
                order.setdefault(prefix + name, len(order) + ix)
    matches = []
    for column in columns:
        exact = [order[form] for form in forms(column) if form in order]
        if exact:
            matches.append((float(min(exact)), column))
        elif measure and (rank := _rank_without_end(column, order)) is not None:
            matches.append((rank, column))
    return [column for _, column in sorted(matches, key=lambda pair: pair[0])]


def _rank_without_end(column: str, order: Mapping[str, int]) -> float | None:
    """Rank a measure by its suffix of tax or currency; with tax before without."""
    ranks = [
        order[form.removesuffix(end)] + (0.5 if end in _NET else 0.0)
        for form in forms(column)
        for end in _ENDS
        if form.endswith(end) and form.removesuffix(end) in order
    ]
    return min(ranks, default=None)


def fields_of(columns: Iterable[str], names: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """List the candidate columns of each field."""
    from training.init.names import MEASURES

    listed = list(columns)
    return {
        field: ranked(listed, (fold(field), *known), measure=field in MEASURES)
        for field, known in names.items()
    }
