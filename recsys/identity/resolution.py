"""Resolves identities: identifiers that were seen together become one customer.

Observations of identifiers come in; the ``identifiers`` and ``links`` tables of the history go out,
each link with its evidence and, where it was refused, the reason. Ingest calls ``resolve`` once at
its end and ``customers_of_groups`` to find the customer of each order; ``omnibasket identity``
calls ``decide`` to show what undoing a link would change.

docs/identity.md explains the rules and their reasons.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend
from ibis.util import gen_name

from recsys.config import IdentitySettings
from recsys.identity.clustering import add_up, cluster
from recsys.identity.graph import Flags, Graph, Ints, strongest_first
from recsys.identity.hashing import customer_id_of
from recsys.identity.links import CROWDED, SAME_ORDER, anchor_rank, count
from recsys.identity.overrides import undone_links
from recsys.identity.shared_identifiers import (
    DEGREE,
    DEVICE,
    by_chance,
    by_degree,
    by_guests,
    by_logins,
    most_degree,
)
from recsys.schema import IDENTIFIERS, LINKS

__all__ = [
    "Resolution",
    "customer_id_of",
    "customers_of_groups",
    "decide",
    "resolve",
    "undone_links",
]

#: Reason of links that a user has undone.
UNDONE: Final = "undone"
#: Reason of links between a card and a token of different owners that were lent once.
CHANCE: Final = "chance: both are mostly seen elsewhere"
#: Prefix of the reason where a customer would have too many identifiers of a type.
LIMIT: Final = "limit: "
_LOGINS: Final = "login on its devices"


@dataclass(frozen=True)
class Resolution:
    """Identifiers with their customers, and the links between them.

    Attributes
    ----------
    identifiers : pa.Table
        As ``recsys.schema.IDENTIFIERS``; sorted by type, strongest first, then by value.
    links : pa.Table
        As ``recsys.schema.LINKS``; sorted by their ends and evidence.
    """

    identifiers: pa.Table
    links: pa.Table


def resolve(
    observations: ir.Table | pa.Table,
    settings: IdentitySettings,
    con: Backend,
    undone: Collection[str] = (),
) -> Resolution:
    """Join identifiers that were seen together into customers.

    Parameters
    ----------
    observations : ir.Table or pa.Table
        Columns as ``recsys.identity.links.OBSERVATIONS``. Order and repetition do not matter.
    settings : IdentitySettings
        Limits, degrees and undone links.
    con : Backend
        Engine that holds ``observations``, or counts them where they are an Arrow table.
    undone : collection of str
        Links that must not join, besides those of the settings.

    Returns
    -------
    Resolution
    """
    if isinstance(observations, ir.Table):
        return decide(*count(observations, con), settings, undone)
    name = gen_name("observations")
    try:
        table = con.create_table(name, ibis.memtable(observations))
        return decide(*count(table, con), settings, undone)
    finally:
        con.raw_sql(f"DROP TABLE IF EXISTS {name}")


def decide(
    identifiers: pa.Table, links: pa.Table, settings: IdentitySettings, undone: Collection[str] = ()
) -> Resolution:
    """Decide which links join, given what was counted.

    Parameters
    ----------
    identifiers, links : pa.Table
        As ``recsys.identity.links.count`` returns them, or as an earlier call of this function did:
        earlier decisions are taken back; what was counted and what a rule blocks stays.
    settings : IdentitySettings
        Limits, degrees and undone links.
    undone : collection of str
        Links that must not join, besides those of the settings.

    Returns
    -------
    Resolution

    Raises
    ------
    DataError
        When a link names an identifier that is not in ``identifiers``.
    """
    identifiers = strongest_first(identifiers)
    graph = Graph.of(identifiers, links)
    blocked = _texts(identifiers["blocked"], lambda text: not text.startswith(DEGREE))
    refused = _texts(links["refused"], lambda text: text.startswith(CROWDED))
    never = pa.array({*settings.undone, *undone}, pa.string())
    is_undone = pc.is_in(links["link_id"], value_set=never).to_numpy()
    refused = dict.fromkeys(np.flatnonzero(is_undone).tolist(), UNDONE) | refused

    standing = graph.standing(blocked, refused)
    blocked |= by_degree(graph, graph.pairs(standing), settings)
    standing = graph.standing(blocked, refused)
    chance = by_chance(graph, graph.pairs(standing)) & graph.of_evidence(SAME_ORDER) & standing
    refused |= dict.fromkeys(np.flatnonzero(chance).tolist(), CHANCE)
    standing = graph.standing(blocked, refused)
    blocked |= by_guests(graph, graph.pairs(standing), graph.registered(standing))
    groups = _join_links(graph, blocked, refused, settings)

    for ix in np.flatnonzero(~graph.standing(blocked, {})).tolist():
        a, b = int(graph.a[ix]), int(graph.b[ix])
        refused.setdefault(ix, blocked.get(a) or blocked[b])
    # Identifiers are sorted by strength, so a group's first member is its anchor.
    anchors = np.unique(groups, return_index=True)[1]
    customer_ids = identifiers["own_id"].take(pa.array(anchors[groups]))
    reasons = _column(blocked, len(identifiers))
    nobody = pa.scalar(None, pa.string())
    decided = {
        "customer_id": pc.if_else(pc.is_null(reasons), customer_ids, nobody),
        "blocked": reasons,
    }
    why = _column(refused, len(links))
    verdicts = {"accepted": pc.is_null(why), "refused": why}
    return Resolution(
        _replace(identifiers, decided).cast(IDENTIFIERS), _replace(links, verdicts).cast(LINKS)
    )


def customers_of_groups(observations: ir.Table, identifiers: ir.Table) -> ir.Table:
    """Name the customer of each group: that of its strongest identifier which names somebody.

    Parameters
    ----------
    observations : ir.Table
        At least ``group_id``, ``type`` and ``value``.
    identifiers : ir.Table
        As ``recsys.schema.IDENTIFIERS``.

    Returns
    -------
    ir.Table
        ``group_id`` and ``customer_id``; groups that nobody can be named for are not in it.

    Notes
    -----
    Identifiers of one order may belong to different customers where their link was refused. The
    one whose type comes first in ``ANCHORS`` decides; of two of that type, the one that was seen
    first, in more orders, or no more since the earlier time; should all of that be equal, the
    smaller value, which depends on the workspace's key.
    """
    known = identifiers.filter(identifiers.customer_id.notnull())
    strength = [
        anchor_rank(known.type),
        known.type,
        known.first_at,
        ibis.desc(known.orders),
        known.last_at,
        known.value,
    ]
    known = known.select(
        "type", "value", "customer_id", place=ibis.row_number().over(order_by=strength)
    )
    seen = observations.join(known, ["type", "value"])
    return seen.group_by("group_id").agg(customer_id=seen.customer_id.argmin(seen.place))


def _join_links(
    graph: Graph, blocked: dict[int, str], refused: dict[int, str], settings: IdentitySettings
) -> Ints:
    """Join what stands into customers; adds to ``blocked`` and ``refused`` what may not join.

    Devices come last: whose a device is gets asked once it is known who the people are, and the
    weakest of identifiers never keeps stronger ones apart. Links between two devices come after
    those with a login on each.
    """
    limits = {kind: settings.limits[kind] for kind in graph.kinds if kind in settings.limits}
    limits[_LOGINS] = most_degree(DEVICE, settings)
    device = graph.of_kind(DEVICE)
    counts = np.zeros((len(device), len(limits)), np.int64)
    for ix, kind in enumerate(limits):
        counts[:, ix] = graph.of_kind(kind)
    devices = device[graph.a].astype(np.int64) + device[graph.b]

    standing = graph.standing(blocked, refused)
    groups = np.arange(len(device))
    groups = _join_more(graph, standing & (devices == 0), groups, counts, limits, refused)
    blocked |= by_logins(graph, graph.pairs(standing), groups, settings)

    # Linked with each other, devices could lead to more logins than any one of them does: from
    # here on, every customer found so far counts as one login.
    counts[np.unique(groups, return_index=True)[1], -1] = 1
    counts[device, -1] = 0
    standing = graph.standing(blocked, refused)
    for n in (1, 2):
        groups = _join_more(graph, standing & (devices == n), groups, counts, limits, refused)
    return groups


def _join_more(
    graph: Graph,
    links: Flags,
    groups: Ints,
    counts: Ints,
    limits: dict[str, int],
    refused: dict[int, str],
) -> Ints:
    """Join groups by some links and return the new groups; refusals are added to ``refused``."""
    which = np.flatnonzero(links)
    n_groups = int(groups.max(initial=-1)) + 1
    joined, broken = cluster(
        (groups[graph.a[which]], groups[graph.b[which]]),
        add_up(counts, groups, n_groups),
        np.array(list(limits.values()), np.int64),
        lambda some: some[graph.strength_order(which[some])],
    )
    reasons = [f"{LIMIT}{most} {kind}" for kind, most in limits.items()]
    for ix in np.flatnonzero(broken >= 0).tolist():
        refused[int(which[ix])] = reasons[broken[ix]]
    return joined[groups]


def _texts(column: pa.ChunkedArray, keep: Callable[[str], bool]) -> dict[int, str]:
    """Texts of a column that are not null and that ``keep`` holds for, by position."""
    positions = np.flatnonzero(column.is_valid().to_numpy())
    texts = column.drop_null().to_pylist()
    return {ix: text for ix, text in zip(positions.tolist(), texts, strict=True) if keep(text)}


def _column(texts: dict[int, str], length: int) -> pa.Array:
    """Column of texts by position, null elsewhere."""
    return pa.array([texts.get(ix) for ix in range(length)], pa.string())


def _replace(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return table
