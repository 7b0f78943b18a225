"""Bundles with everything that led to them, as a notebook meets them.

An engine, what its bundles were found in and the history come in; data frames come out: every test
that was made, the evidence and the price of one bundle, and which customers would get it. Made by
``recsys.analysis.workspace``, called from notebooks.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import msgspec

from recsys.analysis import bundle_frames as frames
from recsys.analysis.all_pairs import AllPairs
from recsys.bundles import AFTER, BUNDLE_KINDS, Quote, merge_choices
from recsys.config import BundleSettings as Settings
from recsys.config import explain_error
from recsys.datasets import TrainingSet, read_rows
from recsys.errors import ConfigError, DataError
from recsys.evaluation import find_recipients, offer_recipients
from recsys.history import History
from recsys.learning import find_bundles
from recsys.models import Content
from recsys.recommender import Engine
from recsys.recommender.bundles import KnownBundle, ListRequest, Suggestions, matching_bundles

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class BundleStudy:
    """What an artefact found to sell together, as if nobody had decided about it yet.

    Attributes
    ----------
    suggestions : Suggestions
    tests : AllPairs
    history : History
        Where customers' purchases are read.
    """

    suggestions: Suggestions
    tests: AllPairs
    history: History

    @classmethod
    def of(
        cls,
        engine: Engine,
        training: TrainingSet,
        history: History,
        settings: Settings,
        **other: Any,
    ) -> Self:
        """Study the bundles of an engine.

        Parameters
        ----------
        engine : Engine
        training : TrainingSet
            What was before the end of the engine's knowledge.
        history : History
        settings : recsys.config.settings.BundleSettings
            That prices follow; what was found follows those of the training that found it.
        **other
            In place of both; bundles are found anew then.

        Raises
        ------
        ConfigError
            When there is no such setting; names the nearest.
        DataError
            When the training holds other products than the engine.
        """
        if training.index.item_ids != engine.index.item_ids:
            raise DataError(
                f"{history.folder}: the history was ingested anew since {engine.version} was "
                "trained, and holds other products. Run `omnibasket train`."
            )
        if found := explain_error(other, Settings, "bundles"):
            raise ConfigError(f"{found[0]}: {found[1]}")
        content = engine.ranker.models.get("content")
        all_choices = engine.ranker.all_choices, engine.ranker.availability.active
        found_with = msgspec.convert({**engine.manifest.settings["bundles"], **other}, Settings)
        if other:
            settings = msgspec.structs.replace(settings, **other)
            engine = copy(engine)
            engine.bundles = find_bundles(found_with, history, training, content, *all_choices)
        titles = content if isinstance(content, Content) else None
        tests = AllPairs(merge_choices(training, *all_choices), found_with, titles)
        return cls(Suggestions(engine, {}, settings), tests, history)

    def __repr__(self) -> str:
        until = datetime.fromtimestamp(self.tests.training.as_of_ts, UTC)
        return (
            f"{len(self.suggestions):,} bundles of {self.engine.version}, "
            f"found in what was before {until:%Y-%m-%d %H:%M} UTC"
        )

    @property
    def engine(self) -> Engine:
        """The artefact that they lie in."""
        return self.suggestions.engine

    def table(self) -> "pd.DataFrame":
        """List the bundles, strongest evidence first.

        Returns
        -------
        DataFrame
            By ``bundle_id``: ``products`` (titles), ``kind``, ``size``, ``support``,
            ``customers``, ``confidence`` (the highest share of cases with all other members that
            hold one, too; of kind ``after`` that of the second), ``plain_lift`` (if all cases
            were alike), ``lift, lift_low, lift_high, p_value, q_value, stability, complement,
            undiscounted_lift``, the names of its ``segments``, and, where prices are known,
            ``full_price_minor, floor_price_minor, suggested_price_minor, discount_share,
            break_even_sales``, the margin a month expected (``low_minor, middle_minor,
            high_minor``), ``pays`` and ``sells_anyway``.
        """
        return frames.table(self.suggestions, self._known)

    def choose(self) -> str:
        """Return the bundle with the strongest evidence that a discount is suggested for.

        Where there is none, that with the strongest evidence of all.

        Raises
        ------
        DataError
            When there is none.
        """
        if not self._known:
            raise DataError(
                f"{self.history.folder}: no products sell together more often than chance "
                "explains, so there is no bundle to look at. A longer history, or fewer baskets "
                "in `[bundles] min_support`, may have some."
            )
        quotes = ((bundle, self.suggestions.quote(bundle)) for bundle in self._known)
        priced = (bundle for bundle, quoted in quotes if quoted is not None and quoted.suggested)
        return next(priced, self._known[0]).bundle_id

    def baskets(self) -> "pd.DataFrame":
        """Say which baskets pairs come from; see ``AllPairs.baskets``."""
        return self.tests.baskets()

    def pairs(self) -> "pd.DataFrame":
        """Test all pairs again, those that were not reported, too; see ``AllPairs.pairs``.

        Returns
        -------
        DataFrame
            Titles ``first`` and ``other`` in place of positions.
        """
        found = self.tests.pairs()
        for name, column in (("other", "b"), ("first", "a")):
            titles = [frames.title(self.suggestions, ix) for ix in found.pop(column).tolist()]
            found.insert(0, name, titles)
        return found

    def directions(self) -> "pd.DataFrame":
        """Say of products that are bought one after the other how often it is the other way.

        Returns
        -------
        DataFrame
            By ``bundle_id``: titles ``first`` and ``then``, the cases in this order (``forth``)
            and ``back``, ``confidence``, ``lift, lift_low, lift_high, q_value``.
        """
        table = self.table()
        later = table[table["kind"] == BUNDLE_KINDS[AFTER]]
        pairs = [self.titles(bundle_id) for bundle_id in later.index]
        found = later[["confidence", "lift", "lift_low", "lift_high", "q_value"]].copy()
        found.insert(0, "back", self.tests.turned(self.suggestions.mined))
        found.insert(0, "forth", later["support"])
        found.insert(0, "then", [then for _, then in pairs])
        found.insert(0, "first", [first for first, _ in pairs])
        return found

    def segments(self) -> "pd.DataFrame":
        """List where else bundles were tested by themselves, and hold.

        Returns
        -------
        DataFrame
            By ``bundle_id``: ``products, by`` (``channel``, ``region`` or ``season``),
            ``segment, support, lift, lift_low, lift_high, q_value``, and ``whole_lift``, that of
            the bundle.
        """
        return frames.segments(self.suggestions, self._known)

    def evidence(self, bundle_id: str, by: frames.By = "month") -> "pd.DataFrame":
        """Count the baskets of one bundle.

        Parameters
        ----------
        bundle_id : str
        by : {"month", "channel", "location"}

        Returns
        -------
        DataFrame
            ``together``; by month and channel all ``baskets`` besides, and those that hold each
            product, by its title.

        Raises
        ------
        KeyError
            When there is no such bundle.
        """
        return frames.evidence(self.suggestions, bundle_id, by)

    def curve(self, bundle_id: str, response: Sequence[float] | None = None) -> "pd.DataFrame":
        """Walk from the lowest price of a bundle to that of its products one by one.

        Parameters
        ----------
        bundle_id : str
        response : sequence of two float, optional
            From where to where the answer to a lower price is assumed to lie, in place of the
            workspace's ``[bundles] response``.

        Returns
        -------
        DataFrame
            By ``price_minor``: ``discount_share, margin_share, break_even_sales``, and the margin
            a month expected, ``low, middle, high``, minor units.

        Raises
        ------
        KeyError
            When there is no such bundle.
        DataError
            When it has no price.
        """
        import pandas as pd

        return pd.DataFrame(self._quote(bundle_id, response).curve).set_index("price_minor")

    def responses(self, bundle_id: str, powers: Iterable[float]) -> "pd.DataFrame":
        """Say how the suggested price moves with what is assumed of customers.

        Parameters
        ----------
        bundle_id : str
        powers : iterable of float
            By what power of the price purchases are assumed to rise when it falls, above 0.

        Returns
        -------
        DataFrame
            By ``power``: ``price_minor, discount_share, break_even_sales`` and ``middle``, the
            margin a month expected, minor units; NaN where no discount is suggested.

        Raises
        ------
        KeyError, DataError
            As ``curve``.
        """
        import pandas as pd

        rows = {}
        for power in powers:
            best = self._quote(bundle_id, [power, power]).suggested
            rows[power] = {} if best is None else best._asdict()
        columns = ["price_minor", "discount_share", "break_even_sales", "middle"]
        index = pd.Index(list(rows), name="power")
        return pd.DataFrame(list(rows.values()), index=index, columns=columns, dtype=float)

    def offered(
        self, bundle_id: str, placement: str = offer_recipients.PLACEMENT
    ) -> "pd.DataFrame":
        """Ask of every customer whether they would be offered a bundle at its suggested price.

        Parameters
        ----------
        bundle_id : str
        placement : str
            A built-in one, without a cart.

        Returns
        -------
        DataFrame
            By ``customer_id``: the engine's ``chance`` that they want what they lack of it, and
            the ``outcome``, one of ``OUTCOMES``.

        Raises
        ------
        KeyError
            When there is no such bundle, or placement.
        """
        bundle = self.suggestions.get(bundle_id)
        customers = read_rows(self.history, until_ts=self.tests.training.as_of_ts)
        return find_recipients(self.engine, bundle, customers, placement)

    def titles(self, bundle_id: str) -> list[str]:
        """Name the products of a bundle, each by a name of its own.

        Parameters
        ----------
        bundle_id : str
            As in ``table``.

        Returns
        -------
        list of str
            One a member.

        Raises
        ------
        KeyError
            When there is no such bundle.
        """
        return frames.titles(self.suggestions, self.suggestions.get(bundle_id))

    @cached_property
    def _known(self) -> list[KnownBundle]:
        every = matching_bundles(self.suggestions, ListRequest(show="all", sort="evidence"))
        return [self.suggestions.get(name) for name in every.names]

    def _quote(self, bundle_id: str, response: Sequence[float] | None) -> Quote:
        suggestions = self.suggestions
        if response is not None:
            settings = msgspec.structs.replace(suggestions.settings, response=list(response))
            suggestions = Suggestions(self.engine, {}, settings)
        quoted = suggestions.quote(suggestions.get(bundle_id))
        if quoted is None:
            raise DataError(f"{bundle_id}: the price of a product is unknown, so it has none.")
        return quoted
