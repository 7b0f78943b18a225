"""What may stand on a page that is the same for everybody: the rules for nobody in particular.

A placement's settings, a location and a time come in; ``Limits`` come out, with what the placement
pins and boosts. Called by ``product_pages`` and ``product_search``.
"""

from typing import NamedTuple

import numpy as np

from recsys.config import Filter, PlacementSettings
from recsys.datasets import Histories, IxArray, Lists
from recsys.ranking import Limits, Merchandising
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.placements import Question, filter_of
from recsys.recommender.rules_in_force import rules_in_force


class PageLimits(NamedTuple):
    """What must not be shown, and what a placement does with the rest."""

    limits: Limits
    merchandising: Merchandising | None


def page_limits(
    catalogue: Catalogue,
    *,
    as_of_ts: int,
    exclude: IxArray,
    location_id: str | None,
    given: Filter | None,
    settings: PlacementSettings | None,
    in_stock: bool,
    age_restricted: bool,
) -> PageLimits:
    """Say what may stand on a page.

    Parameters
    ----------
    catalogue : Catalogue
    as_of_ts : int
        Time of the question, UTC epoch seconds.
    exclude : ndarray, int32
        Products that must not.
    location_id : str or None
    given : Filter or None
        The question's own filter.
    settings : PlacementSettings or None
        Of the placement that the page belongs to: its filter, rules and ``scarce_below`` hold.
    in_stock : bool
        Whether only what the location can sell, where that is known.
    age_restricted : bool
        Whether goods with a minimum age may.
    """
    wanted, rules = given, None
    if settings is not None:
        of_placement = Question(
            placement="",
            settings=settings,
            as_of_ts=as_of_ts,
            location_id=location_id,
            filter=given,
        )
        nobody = Histories.nobody(1, len(catalogue.index))
        rules = rules_in_force([of_placement], nobody, catalogue)
        wanted = filter_of(of_placement, None if rules is None else rules.filters[0])
    if rules is not None:
        exclude = np.union1d(exclude, rules.exclude[0])
    limits = Limits(
        exclude=Lists.of_rows([exclude.astype(np.int32)]),
        cart=Lists.of_rows([np.empty(0, np.int32)]),
        new_only=np.zeros(1, bool),
        hidden_since_ts=np.array([as_of_ts]),
        location_keys=np.array([catalogue.location(location_id)]),
        in_stock=np.array([in_stock]),
        filters=(wanted,),
        of_age=np.array([age_restricted]),
        as_of_ts=np.array([as_of_ts]),
        scarce_below=np.array([settings.scarce_below])
        if settings is not None and settings.scarce_below
        else None,
    )
    return PageLimits(limits, None if rules is None else rules.merchandising[0])
