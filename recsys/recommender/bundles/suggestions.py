"""Every bundle that a marketer may decide about: those that were found, and those decided before.

An engine's bundles and the ledger's decisions come in; what is known of each bundle comes out.
``listing`` chooses those that fit a question, ``worth`` says which are worth a decision,
``bundles`` puts one into words, ``deciding`` judges a change. A bundle that was approved stays when
a later training no longer finds it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.bundles import (
    AFTER,
    BUNDLE_KINDS,
    Bundles,
    Decision,
    MemberSales,
    PricePoint,
    Quote,
    Terms,
    bundle_id,
    offered_members,
    price_points,
    quote,
)
from recsys.config import BundleSettings as Settings
from recsys.datasets import IxArray
from recsys.ranking import UNKNOWN_MINOR, Availability, Margins
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.engine import Engine

#: Days of a month, on average.
_MONTH_SECONDS = 30.4375 * 86_400


@dataclass(frozen=True)
class KnownBundle:
    """One bundle, as far as it is known.

    Attributes
    ----------
    bundle_id, kind : str
    item_ids : tuple of str
    item_ix : tuple of int
        Positions in the catalogue; -1 for a product that it does not hold.
    at : int or None
        Position among the bundles that were found; None where the model has it no more.
    decision : Decision or None
        None where nobody touched it.
    """

    bundle_id: str
    kind: str
    item_ids: tuple[str, ...]
    item_ix: tuple[int, ...]
    at: int | None
    decision: Decision | None

    @property
    def priced(self) -> tuple[int, ...]:
        """Positions of the products that its price is for."""
        return tuple(offered_members(self.kind, self.item_ix))

    @property
    def terms(self) -> Terms:
        """What was decided."""
        return self.decision.terms if self.decision is not None else Terms()


class Suggestions:
    """The bundles of one engine, with what marketers decided.

    Parameters
    ----------
    engine : Engine
    decisions : mapping
        Bundle id → decision.
    settings : recsys.config.settings.BundleSettings
    """

    def __init__(
        self, engine: Engine, decisions: Mapping[str, Decision], settings: Settings
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.mined: Bundles = engine.bundles
        self.catalogue: Catalogue = engine.catalogue
        self.availability: Availability = engine.ranker.availability
        self._bundles = _joined(engine, decisions)
        self._quotes: dict[str, Quote | None] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._bundles)

    def with_decisions(self, decisions: Mapping[str, Decision]) -> "Suggestions":
        """Return the same bundles with other decisions; what was computed is kept.

        Parameters
        ----------
        decisions : mapping
            Bundle id → decision; those of before count no more.
        """
        newer = Suggestions(self.engine, decisions, self.settings)
        newer._quotes = self._quotes
        return newer

    def known(self, bundle_id: str) -> bool:
        """Whether there is such a bundle.

        Parameters
        ----------
        bundle_id : str
            As of ``recsys.bundles.bundle_id``.
        """
        return bundle_id in self._bundles

    def get(self, bundle_id: str) -> KnownBundle:
        """Return a bundle.

        Parameters
        ----------
        bundle_id : str
            As of ``recsys.bundles.bundle_id``.

        Raises
        ------
        KeyError
            When there is none of that id.
        """
        return self._bundles[bundle_id]

    def all(self) -> Iterable[KnownBundle]:
        """Go through them, the strongest evidence first, then those of decisions alone."""
        return self._bundles.values()

    def quote(self, bundle: KnownBundle) -> Quote | None:
        """Return what may be asked for a bundle; None where a price or the evidence is missing.

        Parameters
        ----------
        bundle : KnownBundle
        """
        if bundle.bundle_id not in self._quotes:
            sales = self.sales(bundle)
            self._quotes[bundle.bundle_id] = quote(sales, self.settings) if sales else None
        return self._quotes[bundle.bundle_id]

    def price_point(self, bundle: KnownBundle) -> PricePoint | None:
        """Return what a bundle's price means: the decided one, else the suggested one.

        None where it has neither, or nothing can be said of it.

        Parameters
        ----------
        bundle : KnownBundle
        """
        quoted, price = self.quote(bundle), bundle.terms.price_minor
        if quoted is None or price is None or not 0 < price <= quoted.full_minor:
            return None if quoted is None else quoted.suggested
        (at,) = price_points(quoted.sales, self.settings, [price])
        return at

    def of_one_category(self, bundle: KnownBundle) -> bool:
        """Whether two products of a bundle are of one category.

        Parameters
        ----------
        bundle : KnownBundle
        """
        code = self.catalogue.labels["category"].code
        kinds = [kind for ix in bundle.item_ix if ix >= 0 and (kind := int(code[ix])) >= 0]
        return len(set(kinds)) < len(kinds)

    @cached_property
    def far_above(self) -> float:
        """What few bundles across categories reach: low end of their lift."""
        found = [
            float(self.mined.lift_low[it.at])
            for it in self._bundles.values()
            if it.at is not None and not self.of_one_category(it)
        ]
        return float(np.quantile(found, self.settings.same_category_above)) if found else 0.0

    def cost_known(self, bundle: KnownBundle) -> bool:
        """Whether the costs of all members are known, not guessed from what is usual.

        Parameters
        ----------
        bundle : KnownBundle
        """
        return all(self.cost_minor(ix) is not None for ix in bundle.priced)

    def cost_minor(self, item_ix: int) -> int | None:
        """Return what a product costs, minor units; None where unknown.

        Parameters
        ----------
        item_ix : int
            Position in the catalogue; -1: not in it.

        Returns
        -------
        int or None
        """
        if item_ix < 0:
            return None
        cost = int(self._margins.costs.item_minor[item_ix])
        return None if cost == UNKNOWN_MINOR else cost

    def active(self, item_ix: int) -> bool:
        """Whether a product is in the catalogue and may be sold.

        Parameters
        ----------
        item_ix : int
            Position in the catalogue; -1: not in it.
        """
        return item_ix >= 0 and bool(self.availability.active[item_ix])

    def currency(self, bundle: KnownBundle) -> str | None:
        """Return the ISO 4217 code of all members' prices; None where they have none, or several.

        Parameters
        ----------
        bundle : KnownBundle
        """
        found = {self.catalogue.currencies[ix] for ix in bundle.item_ix if ix >= 0}
        found.discard("")
        return found.pop() if len(found) == 1 else None

    @cached_property
    def _margins(self) -> Margins:
        margins = self.engine.ranker.margins
        if margins is None:
            raise ValueError("the engine knows no margins.")
        return margins

    @cached_property
    def _months(self) -> float:
        """How many months the bundles were counted in."""
        if not len(self.mined.month_ts):
            return 1.0
        ends = self.engine.manifest.as_of.timestamp()
        return max(1.0, (ends - float(self.mined.month_ts[0])) / _MONTH_SECONDS)

    @cached_property
    def _segments(self) -> list[str]:
        return [name.decode() for name in self.mined.segment_names.tolist()]

    def segments(self, at: int) -> list[int]:
        """Return the positions of a bundle's segments in the arrays of ``found``.

        Parameters
        ----------
        at : int
            As of ``KnownBundle.at``.

        Returns
        -------
        list of int
        """
        return list(range(*self.mined.segment_indptr[at : at + 2].tolist()))

    def segment_name(self, position: int) -> str:
        """Return the name of one of them, such as ``channel:web``.

        Parameters
        ----------
        position : int
            As ``segments`` returns it.
        """
        return self._segments[int(self.mined.segment[position])]

    def places(self, at: int) -> dict[int, int]:
        """Return where a bundle is bought most: ``location_key`` → cases with all members.

        Parameters
        ----------
        at : int
            As of ``KnownBundle.at``.

        Returns
        -------
        dict of int to int
        """
        part = slice(*self.mined.place_indptr[at : at + 2].tolist())
        keys, support = self.mined.place_key[part], self.mined.place_support[part]
        return dict(zip(keys.tolist(), support.tolist(), strict=True))

    def sales(self, bundle: KnownBundle) -> MemberSales | None:
        """Return prices, margins and sales of a bundle; None where something is missing.

        Parameters
        ----------
        bundle : KnownBundle
        """
        if bundle.at is None or min(bundle.item_ix) < 0 or self.currency(bundle) is None:
            return None
        items = np.array(bundle.priced, np.int32)
        prices = self.catalogue.prices_minor[items]
        if (prices <= 0).any():
            return None
        earned = self._margins.at(np.zeros(len(items), np.int64), items)
        part = slice(*self.mined.indptr[bundle.at : bundle.at + 2].tolist())
        both = float(self.mined.support[bundle.at])
        shares = offered_members(bundle.kind, self.mined.confidence[part].tolist())
        completes = np.maximum(shares, 1e-9)
        lacking = np.maximum(both / completes - both, 0.0)
        months = self._months * self.settings.sample_share  # of the whole business
        return MemberSales(
            tuple(prices.tolist()),
            tuple(earned.tolist()),
            both / months,
            tuple((lacking / months).tolist()),
        )

    def label(self, name: str, item_ix: int) -> str | None:
        """Return a product's ``department``, ``category`` or ``brand``; None where unknown.

        Parameters
        ----------
        name : str
            Which of the three.
        item_ix : int
            Position in the catalogue, 0 or above.
        """
        return self._label_names[name].get(int(self.catalogue.labels[name].code[item_ix]))

    @cached_property
    def _label_names(self) -> dict[str, dict[int, str]]:
        return {
            name: {code: text for text, code in labels.position.items()}
            for name, labels in self.catalogue.labels.items()
        }


def _joined(engine: Engine, decisions: Mapping[str, Decision]) -> dict[str, KnownBundle]:
    """Bundles that were found, in their order, then those of decisions alone."""
    found, index, of = engine.bundles, engine.index, engine.ranker.all_choices.of
    decided: dict[tuple[object, ...], list[Decision]] = {}
    for decision in decisions.values():
        items = index.ix_of(decision.item_ids).tolist()
        if min(items) >= 0:
            decided.setdefault(_same(decision.kind, items, of), []).append(decision)
    joined: dict[str, KnownBundle] = {}
    seen: set[tuple[object, ...]] = set()
    for at in range(len(found)):
        items = found.members(at).tolist()
        kind, names = BUNDLE_KINDS[int(found.kind[at])], tuple(index.item_ids[ix] for ix in items)
        name = bundle_id(kind, names)
        # What was decided of other products of the same choices goes on as it was decided.
        same = _same(kind, items, of)
        if same in seen:
            continue
        seen.add(same)
        mine = decided.get(same, [])
        if not mine:
            joined.setdefault(name, KnownBundle(name, kind, names, tuple(items), at, None))
        for decision in mine:
            chosen = _in_order(index.ix_of(decision.item_ids).tolist(), items, of)
            names = tuple(index.item_ids[ix] for ix in chosen)
            joined.setdefault(
                decision.bundle_id,
                KnownBundle(decision.bundle_id, kind, names, tuple(chosen), at, decision),
            )
    for name, decision in decisions.items():
        if name not in joined:
            items = index.ix_of(decision.item_ids).tolist()
            joined[name] = KnownBundle(
                name, decision.kind, decision.item_ids, tuple(items), None, decision
            )
    return joined


def _same(kind: str, items: Sequence[int], of: IxArray) -> tuple[object, ...]:
    """What is equal for bundles that a shopper cannot tell apart."""
    choices = of[list(items)].tolist()
    return (kind, *(choices if kind == BUNDLE_KINDS[AFTER] else sorted(choices)))


def _in_order(items: list[int], template: Sequence[int], of: IxArray) -> list[int]:
    """Put products in the order in which others of the same choices stand."""
    left = list(items)
    ordered = []
    for choice in of[list(template)].tolist():
        ordered.append(next(ix for ix in left if of[ix] == choice))
        left.remove(ordered[-1])
    return ordered
