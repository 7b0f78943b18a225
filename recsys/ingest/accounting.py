"""Accounts for every row that was read, by source; an ingest whose rows do not add up fails.

The parts and what ``unify`` counted come in; out come the accounts of ``summary.json``, checked:

**read = kept + left out + repeated + superseded + rejected**, for each source of orders.

Called by ``summary``, and by ``unify`` for what channels told live.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from recsys.errors import DataError
from recsys.ingest.orders.live_orders import Fates
from recsys.ingest.parts import Part
from recsys.ingest.staged import Live

#: What ``unify`` counts besides the rules that left lines out.
_OWN = ("kept", "superseded")


def accounts(
    parts: Iterable[Part], counted: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, Any]]:
    """Say what became of the rows of each source of orders.

    Parameters
    ----------
    parts : iterable of Part
        Of order exports.
    counted : mapping
        Source → ``kept``, ``superseded`` and each rule → lines, of the parts whose rows are there.

    Returns
    -------
    dict
        Source → ``read, kept, left_out, repeated, superseded, rejected``; ``left_out`` and
        ``rejected`` by rule and reason.

    Raises
    ------
    DataError
        When a source's rows do not add up: some would be lost, or counted twice.
    """
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        account = found.setdefault(part.source, _empty())
        account["read"] += part.rows
        account["repeated"] += part.repeated
        account["superseded"] += part.rows_gone
        account["rejected"] = dict(
            sorted((Counter(account["rejected"]) + Counter(part.rejected)).items())
        )
    for source, counts in counted.items():
        account = found.setdefault(source, _empty())
        account["kept"] += counts.get("kept", 0)
        account["superseded"] += counts.get("superseded", 0)
        account["left_out"] = {name: n for name, n in counts.items() if name not in _OWN and n}
    for source, account in found.items():
        _check(source, account)
    return found


def total(accounts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add accounts up."""
    whole = _empty()
    for account in accounts:
        for name, value in account.items():
            if isinstance(value, Mapping):
                whole[name] = dict(Counter(whole[name]) + Counter(value))
            else:
                whole[name] += value
    whole["rejected"] = dict(sorted(whole["rejected"].items()))
    return whole


def _empty() -> dict[str, Any]:
    return {"read": 0, "kept": 0, "left_out": {}, "repeated": 0, "superseded": 0, "rejected": {}}


def _check(source: str, account: Mapping[str, Any]) -> None:
    parts = {
        name: sum(value.values()) if isinstance(value, Mapping) else value
        for name, value in account.items()
        if name != "read"
    }
    if sum(parts.values()) != account["read"]:
        listed = " + ".join(f"{name} {count:,}" for name, count in parts.items())
        raise DataError(
            f"sources.{source}: the rows do not add up: read {account['read']:,}, but {listed} = "
            f"{sum(parts.values()):,}. Nothing was changed. This is a fault of the program, not of "
            "the export; please report it with the export's header and kind."
        )


def of_live(
    live: Live, fates: Fates, left_out: Mapping[str, int], of_pages: Mapping[str, int]
) -> dict[str, Any]:
    """Say what became of the events that channels told of.

    **read = kept + exported + repeated + unconfirmed + nothing to return + left out + set aside +
    rejected**, in events.

    Parameters
    ----------
    live : Live
        Its events are read.
    fates : Fates
        Of orders and refunds.
    left_out : mapping
        Rule → orders of which nothing is left.
    of_pages : mapping
        As ``set_aside.OfPages`` counts them.

    Returns
    -------
    dict
        These counts; of ``kept``, ``confirmed`` are purchases of pages. ``left_out``,
        ``set_aside`` and ``rejected`` by rule and reason.
    """
    aside = Counter(fates.set_aside) + Counter(product=of_pages.get("product", 0))
    again = of_pages.get("exported", 0)
    seen = live.counts["logins"] + live.counts["others"] - again - of_pages.get("product", 0)
    confirmed = of_pages.get("confirmed", 0)
    return {
        "read": live.counts["read"],
        "kept": fates.kept + seen + confirmed,
        "confirmed": confirmed,
        "exported": fates.exported + again,
        "repeated": live.counts["repeated"],
        "unconfirmed": of_pages.get("unconfirmed", 0),
        "nothing_to_return": fates.nothing_back,
        "left_out": dict(sorted(left_out.items())),
        "set_aside": dict(sorted(aside.items())),
        "rejected": dict(sorted(live.rejected.items())),
    }
