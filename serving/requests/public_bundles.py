"""Finds the bundles that anybody may ask for in a store, as far as their budgets last.

Called by the pages that everybody sees: in the aisle, and on the screens of a store.
"""

import logging

from recsys.bundles import Decision
from recsys.errors import LedgerError
from recsys.recommender import Engine, bundles_for_anybody
from serving.state import State

_log = logging.getLogger("omnibasket.service")

#: Bundles of a product that are told.
_MOST = 3


def of_store(
    state: State,
    engine: Engine,
    location_id: str | None,
    now_ts: int,
    item_ix: int | None = None,
    most: int = _MOST,
) -> list[Decision]:
    """Find the bundles whose budget is not spent; none while the ledger does not say so.

    Parameters
    ----------
    state : State
    engine : Engine
    location_id : str or None
        The store.
    now_ts : int
        UTC epoch seconds.
    item_ix : int, optional
        Position of a product in the engine's index that each of them holds.
    most : int
        Maximum number.
    """
    offerable = state.offer_issuer.offerable(engine)
    found = bundles_for_anybody(engine, offerable, item_ix, location_id, now_ts, most)
    limited = [it.bundle_id for it in found if it.terms.budget_minor is not None]
    if not limited:
        return found
    try:
        with state.ledger.hurrying("budgets of bundles"):
            counts = state.ledger.offers.counts(limited, now_ts=now_ts)
    except LedgerError as error:
        _log.error("shown without bundles", extra={"reason": str(error)})
        return [it for it in found if it.terms.budget_minor is None]

    def is_left(decision: Decision) -> bool:
        budget, held = decision.terms.budget_minor, counts.get(decision.bundle_id)
        taken = 0 if held is None else held.reserved_minor + held.spent_minor
        discount = full_minor(engine, decision) - (decision.terms.price_minor or 0)
        return budget is None or taken + discount <= budget

    return [decision for decision in found if is_left(decision)]


def full_minor(engine: Engine, decision: Decision) -> int:
    """Return what the products of a bundle cost one by one, in minor units."""
    items = engine.index.ix_of(decision.item_ids)
    return int(engine.catalogue.prices_minor[items].sum())
