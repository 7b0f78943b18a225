"""Fits the models on what was before a moment, and learns how to blend them after it.

A history and a moment come in; fitted models, blends and the baselines' settings come out.
Called by ``train`` and by the benchmarks.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.config import Config
from recsys.data.history import History
from recsys.errors import DataError
from recsys.matrices.baskets import Training
from recsys.matrices.lists import Ragged
from recsys.models import MODELS, Model, from_settings
from recsys.models.base import Context
from recsys.ranking.blend import Blend
from recsys.ranking.rank import Ranker
from recsys.ranking.shelf import Shelf
from recsys.responses.placements import placements
from recsys.schema import SALE
from recsys.validation import baselines, carts, learning, panel
from recsys.validation.splits import Window
from training.steps import Step

#: Parts of a fit, in their order.
READING = "reading"
PARTS = (READING, *MODELS)

#: Places by which baselines are tuned and everything is judged.
PLACES = 10
#: Customers that the blend is learned on: who came back, and who did not.
ACTIVE, LAPSED = 2_000, 500
#: Orders that the blend for carts is learned on.
CARTS = 500


@dataclass(frozen=True)
class Fitted:
    """Models that know nothing of what happened at ``training.as_of_ts`` and after."""

    training: Training
    models: Mapping[str, Model]

    def ranker(self, learned: "Learned", shelf: Shelf | None = None) -> Ranker:
        """Put models and blends together; without a shelf everything may be shown."""
        if shelf is None:
            none = np.empty(0, np.int64)
            active = np.ones(len(self.training.index), bool)
            shelf = Shelf.build(active, none, none.astype(np.int32), none.astype(np.float32))
        return Ranker(self.training.index, self.models, learned.plain, learned.cart, shelf)


@dataclass(frozen=True)
class Learned:
    """What the validation window taught.

    Attributes
    ----------
    plain, cart : Blend
        For requests without and with a cart.
    popular_days, frequency_days : float
        The baselines' best half-lives, in days.
    """

    plain: Blend
    cart: Blend
    popular_days: float
    frequency_days: float


class Span(NamedTuple):
    """Ends of a history, UTC epoch seconds: of the sales to known customers, and of all lines."""

    first_ts: int
    last_ts: int
    latest_ts: int


def span(history: History) -> Span:
    """Find the ends of a history.

    Raises
    ------
    DataError
        When no sale names a customer.
    """
    con = history.connect()
    try:
        lines = con.table("lines")
        known = lines.customer_id.notnull() & (lines.kind == SALE)
        at = lines.occurred_at
        ends = lines.aggregate(first=at.min(where=known), last=at.max(where=known), latest=at.max())
        (found,) = con.to_pyarrow(ends).to_pylist()
    finally:
        con.disconnect()
    if found["first"] is None:
        raise DataError(
            f"{history.path('lines')}: no order names a customer, so there is nobody to learn "
            "from. Map a customer's e-mail, card or account under [sources.NAME.identifiers], "
            "then run `omnibasket ingest`."
        )
    return Span(*(int(found[name].timestamp()) for name in ("first", "last", "latest")))


def fit(config: Config, history: History, as_of_ts: int, step: Step | None = None) -> Fitted:
    """Fit every model on what was before a moment.

    Parameters
    ----------
    config : Config
    history : History
    as_of_ts : int
        UTC epoch seconds; nothing at or after it is seen.
    step : callable, optional
        Opens each part, of ``PARTS``, as a context.

    Raises
    ------
    DataError
        When there is nothing before it.
    """
    settings, part = config.train, step or nullcontext
    with part(READING):
        training = Training.read(history, as_of_ts, seed=settings.seed, threads=settings.threads)
    models = from_settings(config.models)
    for name, model in models.items():
        with part(name):
            model.fit(training)
    return Fitted(training, models)


def learn(config: Config, history: History, fitted: Fitted, window: Window) -> Learned:
    """Learn blends, and tune baselines, on the window after a fit.

    Parameters
    ----------
    config : Config
    history : History
    fitted : Fitted
        As of the window's start.
    window : Window

    Raises
    ------
    DataError
        When too few customers came back in the window.
    """
    index, seed = fitted.training.index, config.train.seed
    people = panel.read(history, index, window, active=ACTIVE, lapsed=LAPSED, seed=seed)
    orders = carts.read(history, people, at_most=CARTS, seed=seed)
    weights = [settings.weights for settings in placements(config).values()]
    plain, cart = learning.learn(fitted.models, people, orders, weights)
    wanted, context = people.wanted(), Context.of(len(people), window.start_ts)
    min_lines = config.models.popular.min_lines

    def popular(days: float) -> Ragged:
        model = baselines.popular(fitted.training, days, min_lines)
        return model.recommend(people.histories, PLACES, context)

    def frequency(days: float) -> Ragged:
        return baselines.own_frequency(people.histories, window.start_ts, days, PLACES)

    return Learned(
        plain,
        cart,
        baselines.tune(popular, wanted, baselines.POPULAR_DAYS, PLACES),
        baselines.tune(frequency, wanted, baselines.FREQUENCY_DAYS, PLACES),
    )
