"""Inspects customers: which links made them, which were refused, what an undo would change.

A history comes in; out come links and identifiers as plain rows. Called by ``omnibasket
identity``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import IdentitySettings
from recsys.errors import DataError
from recsys.history import History
from recsys.identity.resolution import Resolution, decide

Row = dict[str, Any]


@dataclass(frozen=True)
class Customer:
    """A customer as far as a change touches them.

    Attributes
    ----------
    customer_id : str or None
        None: the identifiers name nobody.
    identifiers : list of (str, str)
        Types and stored values.
    """

    customer_id: str | None
    identifiers: list[tuple[str, str]]


@dataclass(frozen=True)
class Change:
    """What undoing or redoing one link changes.

    Attributes
    ----------
    link : dict
        The link, as in the history's ``links``.
    before, after : list of Customer
        The customers that the change touches, largest first.
    """

    link: Row
    before: list[Customer]
    after: list[Customer]

    @property
    def nothing(self) -> bool:
        """Whether all stays as it is."""
        return self.before == self.after


def find_links(
    history: History,
    *,
    accepted: bool | None = None,
    customer_id: str | None = None,
    identifiers: Collection[tuple[str, str]] | None = None,
    limit: int | None = None,
) -> tuple[int, list[Row]]:
    """List links, the latest first.

    Parameters
    ----------
    history : History
    accepted : bool, optional
        Only accepted or only refused ones.
    customer_id : str, optional
        Only links with an end in the customer that this id leads to, present or former.
    identifiers : collection of (str, str), optional
        Only links with one of these ends: type and stored value.
    limit : int, optional
        How many rows to return at most.

    Returns
    -------
    n_links : int
        How many there are.
    rows : list of dict
        As the table ``links``.

    Raises
    ------
    DataError
        When ``customer_id`` leads to nobody.
    """
    con = history.connect()
    links = con.read_parquet(history.path("links"), table_name="links_listed")
    known = con.read_parquet(history.path("identifiers"), table_name="identifiers_listed")
    if accepted is not None:
        links = links.filter(links.accepted == ibis.literal(accepted))
    if customer_id is not None:
        owner = con.to_pyarrow(known.filter(known.own_id == customer_id).customer_id).to_pylist()
        if owner in ([], [None]):
            raise DataError(f"customer `{customer_id}`: nobody has this id in {history.folder}.")
        links = _with_an_end_in(links, known.filter(known.customer_id == owner[0]))
    if identifiers is not None:
        wanted = [(known.type == kind) & (known.value == value) for kind, value in identifiers]
        links = _with_an_end_in(links, known.filter(ibis.or_(*wanted)))
    latest_first = [ibis.desc("last_at", nulls_first=False), "link_id"]
    shown = links.order_by(latest_first)
    rows = con.to_pyarrow(shown if limit is None else shown.limit(limit)).to_pylist()
    return int(con.to_pyarrow(links.count()).as_py()), rows


def find_blocked(history: History, *, limit: int | None = None) -> tuple[int, list[Row]]:
    """List identifiers that name nobody, those with most orders first.

    Parameters
    ----------
    history : History
    limit : int, optional
        How many rows to return at most.

    Returns
    -------
    n_identifiers : int
        How many there are.
    rows : list of dict
        As the table ``identifiers``.
    """
    con = history.connect()
    known = con.read_parquet(history.path("identifiers"), table_name="identifiers_listed")
    blocked = known.filter(known.blocked.notnull())
    shown = blocked.order_by(ibis.desc("orders"), "type", "value")
    rows = con.to_pyarrow(shown if limit is None else shown.limit(limit)).to_pylist()
    return int(con.to_pyarrow(blocked.count()).as_py()), rows


def change_of(
    history: History,
    settings: IdentitySettings,
    link_id: str,
    before: Collection[str],
    after: Collection[str],
) -> Change:
    """Decide anew with other links undone, and tell what that changes around one link.

    Parameters
    ----------
    history : History
        What was counted; its own decisions may be older than ``before``.
    settings : IdentitySettings
        Limits and degrees.
    link_id : str
        The link.
    before, after : collection of str
        Links undone before and after the change.

    Returns
    -------
    Change

    Raises
    ------
    DataError
        When the history has no such link.
    """
    identifiers, links = history.table("identifiers"), history.table("links")
    found = links.filter(pc.equal(links["link_id"], link_id)).to_pylist()
    if not found:
        raise DataError(
            f"link `{link_id}`: not in history {history.version}. "
            "`omnibasket identity links` lists the links."
        )
    link = found[0]
    ends = {(link["type_a"], link["value_a"]), (link["type_b"], link["value_b"])}
    decided = [decide(identifiers, links, settings, undone) for undone in (before, after)]
    touched = set().union(*(_customers_of(result, ends) for result in decided))
    return Change(link, *(_group(result, touched) for result in decided))


def _with_an_end_in(links: ir.Table, known: ir.Table) -> ir.Table:
    ends = known.select("type", "value")
    by_a = links.semi_join(ends, [links.type_a == ends.type, links.value_a == ends.value])
    by_b = links.semi_join(ends, [links.type_b == ends.type, links.value_b == ends.value])
    return ibis.union(by_a, by_b, distinct=True)


def _customers_of(found: Resolution, ends: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All identifiers of the customers whom the ends belong to, and the ends themselves."""
    table = found.identifiers
    ids = {
        row["customer_id"]
        for kind, value in ends
        for row in table.filter(
            pc.and_(pc.equal(table["type"], kind), pc.equal(table["value"], value))
        ).to_pylist()
    } - {None}
    members = table.filter(pc.is_in(table["customer_id"], value_set=pa.array(ids, pa.string())))
    return ends | set(zip(members["type"].to_pylist(), members["value"].to_pylist(), strict=True))


def _group(found: Resolution, touched: set[tuple[str, str]]) -> list[Customer]:
    table = found.identifiers
    values = pa.array({value for _, value in touched}, pa.string())
    groups: dict[str | None, list[tuple[str, str]]] = {}
    for row in table.filter(pc.is_in(table["value"], value_set=values)).to_pylist():
        if (row["type"], row["value"]) in touched:
            groups.setdefault(row["customer_id"], []).append((row["type"], row["value"]))
    customers = [Customer(*group) for group in groups.items()]
    return sorted(customers, key=lambda one: (-len(one.identifiers), one.customer_id or ""))
