"""Quotas of the demo: shares of households, tickets and web orders.

In: names. Out: SQL conditions that are true for a fixed number of rows. Called by the modules that
assign channels, identifiers and traps. docs/demo.md lists ``QUOTAS``, and a test compares them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """A share of rows, chosen by the seed."""

    share: float
    """Share of all rows of the kind."""
    least: int
    """Minimum number of rows."""


#: By name. The name also seeds the choice, so that choices are independent.
QUOTAS = {
    # of households
    "web": Quota(0.40, 2),
    "cardless": Quota(0.04, 2),
    "cash_only": Quota(0.04, 2),
    "second_card": Quota(0.08, 2),
    "second_token": Quota(0.15, 2),
    "forgetful": Quota(0.10, 2),
    "guest": Quota(0.04, 2),
    "second_email": Quota(0.03, 2),
    "second_device": Quota(0.08, 2),
    "newsletter": Quota(0.06, 2),
    "tablet_pair": Quota(0.004, 2),
    "desk": Quota(0.006, 4),
    # of till tickets
    "default_card": Quota(0.0025, 12),
    "unlisted_card": Quota(0.0015, 12),
    "nobody": Quota(0.004, 12),
    "lent_card": Quota(0.00005, 0),
    "struck_out": Quota(0.001, 6),
    "ticket_twice": Quota(0.00003, 3),
    # of baskets
    "returned": Quota(0.0008, 4),
    # of web orders
    "cancelled": Quota(0.008, 3),
    "test_email": Quota(0.006, 6),
    "refunded": Quota(0.006, 3),
    "partly_refunded": Quota(0.006, 3),
    "corrected": Quota(0.0008, 4),
    "order_twice": Quota(0.0005, 3),
}


def size(name: str, rows: str) -> str:
    """Return SQL of the number of rows that a quota selects from ``rows``, an SQL number."""
    quota = QUOTAS[name]
    return f"greatest({quota.least}, round({quota.share} * {rows}))::INT"


def chosen(name: str, eligible: str, key: str) -> str:
    """Return SQL that is true for the rows that a quota selects, in QUALIFY or as a column.

    Parameters
    ----------
    name : str
        One of ``QUOTAS``.
    eligible : str
        SQL condition; never null. If fewer rows are eligible than the quota, all are selected.
    key : str
        SQL of the rows' unique key.
    """
    return (
        f"(({eligible}) AND row_number() OVER (ORDER BY NOT ({eligible}), "
        f"u('{name}', {key}), {key}) <= {size(name, 'count(*) OVER ()')})"
    )
