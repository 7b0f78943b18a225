"""Finds the customers who would be offered a bundle, and their chance of buying the rest of it.

In: an engine, a bundle and customers. The engine recommends as for a placement, as if the bundle
were approved. Out: a data frame with one row per customer. Called by
``analysis.bundles``.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from recsys.bundles import Decision, Terms
from recsys.config import PLACEMENTS
from recsys.datasets import CustomerHistory
from recsys.recommender import Engine, Question
from recsys.recommender.bundles import KnownBundle
from recsys.recommender.offers import OfferableBundles, selection

if TYPE_CHECKING:
    import pandas as pd

#: Default placement.
PLACEMENT: Final = "email_weekly"
#: Possible outcomes for a customer and a bundle.
OUTCOMES: Final = ("gets the offer", "buys it anyway", "has all of it", "has no part", "not shown")
_GETS, _ANYWAY, _ALL, _NO_PART, _NOT_SHOWN = OUTCOMES

#: Customers per batch.
_AT_ONCE: Final = 256


def find_recipients(
    engine: Engine,
    bundle: KnownBundle,
    customers: Iterable[tuple[str, CustomerHistory]],
    placement: str = PLACEMENT,
) -> "pd.DataFrame":
    """Determine which customers would be offered a bundle, as of the end of the training data.

    Parameters
    ----------
    engine : Engine
    bundle : KnownBundle
    customers : iterable of (str, CustomerHistory)
    placement : str
        A built-in placement; its settings apply, and questions have no cart.

    Returns
    -------
    DataFrame
        By ``customer_id``: the ``chance`` of buying the rest of the bundle (NaN if it may not be
        shown), and the ``outcome``, one of ``OUTCOMES``.

    Raises
    ------
    KeyError
        When there is no such placement.
    """
    import pandas as pd

    decision = Decision(
        bundle_id=bundle.bundle_id,
        kind=bundle.kind,
        item_ids=bundle.item_ids,
        terms=Terms(status="approved"),
        revision=1,
        changed_ts=0,
        changed_by="",
    )
    offering = OfferableBundles(
        engine.index, {bundle.bundle_id: decision}, engine.ranker.all_choices
    )
    anew = Question(
        placement=placement,
        settings=PLACEMENTS[placement],
        as_of_ts=int(engine.manifest.as_of.timestamp()),
        count=1,
        offers=1,
        customer_known=True,
    )
    # An offer already promised is returned with its chance.
    promised = msgspec.structs.replace(anew, standing=(bundle.bundle_id,))
    everybody = list(customers)
    outcomes = []
    for at in range(0, len(everybody), _AT_ONCE):
        rows = [row for _, row in everybody[at : at + _AT_ONCE]]
        answers = [
            engine.recommend([question] * len(rows), rows, offering)
            for question in (anew, promised)
        ]
        outcomes += [
            _outcome(bool(one["offers"]), other["offers"], len(bundle.item_ids))
            for one, other in zip(*answers, strict=True)
        ]
    index = pd.Index([customer_id for customer_id, _ in everybody], name="customer_id")
    outcome = pd.Categorical([outcome for _, outcome in outcomes], list(OUTCOMES))
    chance = np.array([chance for chance, _ in outcomes], np.float64)
    return pd.DataFrame({"chance": chance, "outcome": outcome}, index=index)


def _outcome(gets: bool, promised: list[dict[str, Any]], size: int) -> tuple[float, str]:
    """Return the chance and the outcome of a customer for a bundle."""
    if not promised:
        return np.nan, _NOT_SHOWN
    chance, missing = promised[0]["chance"], len(promised[0]["missing"])
    if gets:
        return chance, _GETS
    if missing == 0:
        return chance, _ALL
    if missing == size:
        return chance, _NO_PART
    return chance, _ANYWAY if chance >= selection.SURE else _NO_PART
