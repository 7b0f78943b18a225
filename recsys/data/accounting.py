"""What became of every row that was read, by source; an ingest whose rows do not add up fails.

The parts and what ``unify`` counted come in; out come the accounts of ``summary.json``, checked:

**read = kept + left out + repeated + superseded + rejected**, for each source of orders.

Called by ``summary``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from recsys.data.parts import Part
from recsys.errors import DataError

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
