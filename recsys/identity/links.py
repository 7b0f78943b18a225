"""Observations of identifiers → distinct identifiers and the links between them, counted.

One row per identifier and group (an order, a registration, a session) comes in. One row per
identifier goes out, and one per pair of identifiers of the same group, with count, first and last
time. ``resolution``, the only caller, decides which pairs join. Everything is an Ibis expression;
the fetched rows grow with the number of identifiers, not of orders.
"""

from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from recsys.query_engine import fetch, keep, scratch, value
from recsys.schema import IDENTIFIERS, LINKS, UTC

#: Input of ``recsys.identity.resolve``.
OBSERVATIONS: Final = pa.schema(
    [
        ("group_id", pa.string()),  # the order, registration or session it was seen in
        ("type", pa.string()),
        ("value", pa.string()),  # as stored: hashed where it is personal
        ("evidence", pa.string()),  # what the group is; the same in all rows of a group
        ("source", pa.string()),
        ("at", UTC),  # null: unknown
        ("blocked", pa.string()),  # null, or why a rule blocks the value
    ]
)

REGISTRATION: Final = "registration"
LOGIN: Final = "login"
SAME_ORDER: Final = "same_order"
#: Kinds of evidence, strongest first.
EVIDENCE: Final = (REGISTRATION, LOGIN, SAME_ORDER)

#: Types in the order in which they give a customer its id; other types come last.
ANCHORS: Final = ("account", "email", "phone", "loyalty_card", "payment_token", "device")

#: Most identifiers of one group. A larger group is a sign of a broken export.
MAX_GROUP: Final = 12
#: How the reason begins for which links of such a group are refused.
CROWDED: Final = "group: "

_ID_DIGITS: Final = 20
_LINK_DIGITS: Final = 16


def count(observations: ir.Table, con: Backend) -> tuple[pa.Table, pa.Table]:
    """Count identifiers and the links between them.

    Parameters
    ----------
    observations : ir.Table
        Columns as ``OBSERVATIONS``. Order and repetition do not matter.
    con : Backend
        Engine that holds ``observations``.

    Returns
    -------
    identifiers : pa.Table
        As ``recsys.schema.IDENTIFIERS``, strongest type first (``ANCHORS``), then by value;
        ``customer_id`` is null and ``blocked`` says only what the observations said.
    links : pa.Table
        As ``recsys.schema.LINKS``, by their stronger end, the weaker one and evidence; the end
        that sorts first by type and value is ``a``. ``accepted`` is null, and ``refused`` is set
        only for crowded groups.

    Notes
    -----
    Groups that name the same identifiers are counted together before their pairs are made, so
    the pairs cost what the different sets of identifiers cost, not what the orders do. A group of
    more than ``MAX_GROUP`` identifiers gives one link from its strongest identifier to each other
    one, all of them refused: they are listed, and there are not a million of them.
    """
    usable = observations.filter(
        observations.group_id.notnull(), observations.type.notnull(), observations.value.notnull()
    )
    with scratch(con):
        numbered = keep(con, "numbered", _number(usable))
        sets = keep(con, "sets", _sets(usable, numbered))
        identifiers = fetch(con, _identifiers(numbered, sets))
        together = value(con, (sets.members.length() > 1).any())
        links = fetch(con, _links(numbered, sets)) if together else LINKS.empty_table()
    return identifiers.cast(IDENTIFIERS), links.cast(LINKS)


def own_id(kind: ir.StringColumn, value: ir.StringColumn) -> ir.StringValue:
    """Return the customer id that each identifier has alone, as ``customer_id_of`` does."""
    return "c" + _hash(kind, value, glue="\0").left(_ID_DIGITS)


def anchor_rank(kind: ir.StringColumn) -> ir.IntegerColumn:
    """Position of a type in ``ANCHORS``; types that are not listed come last."""
    rank: ir.IntegerColumn = kind.cases(
        *((name, position) for position, name in enumerate(ANCHORS)), else_=len(ANCHORS)
    ).cast("int32")
    return rank


def _number(observations: ir.Table) -> ir.Table:
    """One row an identifier, numbered from the strongest to the weakest."""
    distinct = observations.group_by("type", "value").agg(blocked=observations.blocked.max())
    strength = [anchor_rank(distinct.type), distinct.type, distinct.value]
    return distinct.mutate(ix=ibis.row_number().over(order_by=strength).cast("int32"))


def _sets(observations: ir.Table, numbered: ir.Table) -> ir.Table:
    """One row a set of identifiers that was seen together, by evidence and source."""
    coded = observations.join(numbered, ["type", "value"]).select(
        "group_id", "evidence", "source", "at", "ix"
    )
    groups = coded.group_by("group_id", "evidence").agg(
        members=coded.ix.collect(distinct=True).sort(),
        source=coded.source.min(),
        first_at=coded["at"].min(),
        last_at=coded["at"].max(),
    )
    return groups.group_by("members", "evidence", "source").agg(
        seen=groups.count(), first_at=groups.first_at.min(), last_at=groups.last_at.max()
    )


def _identifiers(numbered: ir.Table, sets: ir.Table) -> ir.Table:
    each = sets.mutate(ix=sets.members.unnest())
    orders = ibis.cases((each.evidence == SAME_ORDER, each.seen), else_=0)
    counted = each.group_by("ix").agg(
        orders=orders.sum(), first_at=each.first_at.min(), last_at=each.last_at.max()
    )
    found = numbered.join(counted, "ix")
    return (
        found.select(
            "type",
            "value",
            own_id=own_id(found.type, found.value),
            customer_id=ibis.null("string"),
            orders=found.orders.cast("int64"),
            first_at=found.first_at,
            last_at=found.last_at,
            blocked=found.blocked,
            ix=found.ix,
        )
        .order_by("ix")
        .drop("ix")
    )


def _links(numbered: ir.Table, sets: ir.Table) -> ir.Table:
    together = sets.filter(sets.members.length() > 1).mutate(size=sets.members.length())
    crowded = together["size"] > MAX_GROUP
    # The members are sorted by strength: the first is the star's centre in a crowded group.
    centres = ibis.ifelse(crowded, together.members[:1], together.members)
    left = together.mutate(stronger=centres.unnest())
    pairs = left.mutate(weaker=left.members.unnest())
    pairs = pairs.filter(pairs.stronger < pairs.weaker)
    counted = pairs.group_by("stronger", "weaker", "evidence").agg(
        source=pairs.source.collect(distinct=True).sort().join(","),
        seen=pairs.seen.sum().cast("int64"),
        first_at=pairs.first_at.min(),
        last_at=pairs.last_at.max(),
        smallest=pairs["size"].min(),
    )
    names = numbered.select("ix", "type", "value")
    ends = counted.join(names, counted.stronger == names.ix).drop("ix")
    ends = ends.join(names, ends.weaker == names.ix, rname="{name}_other").drop("ix")
    swap = (ends.type > ends.type_other) | (
        (ends.type == ends.type_other) & (ends.value > ends.value_other)
    )
    named = ends.mutate(
        type_a=swap.ifelse(ends.type_other, ends.type),
        value_a=swap.ifelse(ends.value_other, ends.value),
        type_b=swap.ifelse(ends.type, ends.type_other),
        value_b=swap.ifelse(ends.value, ends.value_other),
    )
    sides = [named[name] for name in ("type_a", "value_a", "type_b", "value_b", "evidence")]
    reason = CROWDED + named.smallest.cast("string") + " identifiers at once"
    listed = named.mutate(
        link_id="l" + _hash(*sides, glue="\t").left(_LINK_DIGITS),
        accepted=ibis.null("boolean"),
        refused=ibis.cases((named.smallest > MAX_GROUP, reason), else_=ibis.null("string")),
    )
    return listed.order_by("stronger", "weaker", "evidence").select(*LINKS.names)


def _hash(*texts: ir.StringColumn, glue: str) -> ir.StringColumn:
    joined: ir.StringColumn = texts[0]
    for text in texts[1:]:
        joined = joined + glue + text
    hashed: ir.StringColumn = joined.hexdigest("sha256")
    return hashed
