"""Every bundle that a marketer may decide about: those that were found, and those decided before.

An engine's bundles and the ledger's decisions come in; ids that fit a question come out, and what
is known of each. ``bundles`` puts one into words, ``terms`` judges a change. A bundle that was
approved stays when a later training no longer finds it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from recsys.bundles.found import AFTER, KINDS, Bundles, bundle_id, offered
from recsys.bundles.pricing import Quote, Sales, quote
from recsys.bundles.terms import Decision, Status, Terms
from recsys.data.currencies import digits
from recsys.matrices.ids import IxArray, location_key
from recsys.ranking.margins import UNKNOWN_MINOR, Margins
from recsys.ranking.shelf import Shelf
from recsys.responses.catalogue import Catalogue
from recsys.responses.engine import Engine
from recsys.settings import Bundles as Settings

#: Share of the bundles over several categories that one within a category has to be above.
_FAR = 0.9
#: Days of a month, on average.
_MONTH_SECONDS = 30.4375 * 86_400

Sort = Literal["evidence", "lift", "support", "confidence", "margin", "stability", "changed"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which bundles are asked for; what is None does not matter."""

    status: Status | None = None
    kind: Literal["together", "after"] | None = None
    category: str | None = None
    department: str | None = None
    item_id: str | None = None
    q: str | None = None
    """Text in a title, whatever its case."""
    segment: str | None = None
    """Holds there: ``channel:web``, ``region:North``, ``season:winter``."""
    location_id: str | None = None
    """Bought there."""
    min_lift: Annotated[float, Meta(ge=0)] = 0.0
    min_support: Annotated[int, Meta(ge=0)] = 0
    min_margin: float | None = None
    """Margin a month that the suggested price is expected to add, minor units."""
    pays: bool | None = None
    """Whether the suggested price pays for itself even by the lowest estimate."""
    worth: bool | None = None
    """Whether it is worth a decision, see ``Suggestions.worth``."""
    sort: Sort = "evidence"
    """Highest first."""


@dataclass(frozen=True)
class Known:
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
        return tuple(offered(self.kind, self.item_ix))

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
    settings : recsys.settings.Bundles
    """

    def __init__(
        self, engine: Engine, decisions: Mapping[str, Decision], settings: Settings
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.found: Bundles = engine.bundles
        self.catalogue: Catalogue = engine.catalogue
        self.shelf: Shelf = engine.ranker.shelf
        self._bundles = _joined(engine, decisions)
        self._quotes: dict[str, Quote | None] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._bundles)

    def with_decisions(self, decisions: Mapping[str, Decision]) -> "Suggestions":
        """Return the same bundles with other decisions; what was computed is kept."""
        newer = Suggestions(self.engine, decisions, self.settings)
        newer._quotes = self._quotes
        return newer

    def known(self, bundle_id: str) -> bool:
        """Whether there is such a bundle."""
        return bundle_id in self._bundles

    def get(self, bundle_id: str) -> Known:
        """Return a bundle.

        Raises
        ------
        KeyError
            When there is none of that id.
        """
        return self._bundles[bundle_id]

    def chosen(self, wanted: Wanted) -> list[str]:
        """Return the ids of bundles that fit, in the order asked for."""
        found = [bundle for bundle in self._bundles.values() if self._fits(bundle, wanted)]
        if wanted.sort != "evidence":  # they are in that order
            found.sort(key=lambda bundle: -self._key(bundle, wanted.sort))
        return [bundle.bundle_id for bundle in found]

    def quote(self, bundle: Known) -> Quote | None:
        """Return what may be asked for a bundle; None where a price or the evidence is missing."""
        if bundle.bundle_id not in self._quotes:
            sales = self.sales(bundle)
            self._quotes[bundle.bundle_id] = quote(sales, self.settings) if sales else None
        return self._quotes[bundle.bundle_id]

    def worth(self, bundle: Known) -> bool:
        """Whether a bundle is worth a marketer's minute.

        What was decided about is. Else its price pays for itself, it is expected to add
        ``min_month`` a month, and it is an idea: of products of one category only where it sells
        together more often than nearly every bundle over several categories.
        """
        if bundle.terms.status != "suggested":
            return True
        found, currency = self.quote(bundle), self.currency(bundle)
        if found is None or found.suggested is None or not found.pays or bundle.at is None:
            return False
        least = self.settings.min_month * 10 ** digits(currency or "")
        if found.suggested.middle < least:
            return False
        return not self._of_one_category(bundle) or self.found.lift_low[bundle.at] >= self._far

    def _of_one_category(self, bundle: Known) -> bool:
        code = self.catalogue.labels["category"].code
        kinds = {int(code[ix]) for ix in bundle.item_ix}
        return len(kinds) == 1 and kinds != {-1}

    @cached_property
    def _far(self) -> float:
        """What few bundles over several categories reach: low end of their lift."""
        found = [
            float(self.found.lift_low[it.at])
            for it in self._bundles.values()
            if it.at is not None and min(it.item_ix) >= 0 and not self._of_one_category(it)
        ]
        return float(np.quantile(found, _FAR)) if found else 0.0

    def cost_known(self, bundle: Known) -> bool:
        """Whether the costs of all members are known, not guessed from what is usual."""
        return all(self.cost_minor(ix) is not None for ix in bundle.priced)

    def cost_minor(self, item_ix: int) -> int | None:
        """Return what a product costs; None where unknown."""
        if item_ix < 0:
            return None
        cost = int(self._margins.costs.item_minor[item_ix])
        return None if cost == UNKNOWN_MINOR else cost

    def active(self, item_ix: int) -> bool:
        """Whether a product is in the catalogue and may be sold."""
        return item_ix >= 0 and bool(self.shelf.active[item_ix])

    def currency(self, bundle: Known) -> str | None:
        """Return the currency of all members; None where they have none, or several."""
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
        if not len(self.found.month_ts):
            return 1.0
        ends = self.engine.manifest.as_of.timestamp()
        return max(1.0, (ends - float(self.found.month_ts[0])) / _MONTH_SECONDS)

    @cached_property
    def _segments(self) -> list[str]:
        return [name.decode() for name in self.found.segment_names.tolist()]

    def segments(self, at: int) -> list[int]:
        """Return the positions of a bundle's segments in the arrays of ``found``."""
        return list(range(*self.found.segment_indptr[at : at + 2].tolist()))

    def segment_name(self, position: int) -> str:
        """Return the name of one of them."""
        return self._segments[int(self.found.segment[position])]

    def places(self, at: int) -> dict[int, int]:
        """Return the locations where a bundle is bought most: key → cases with all members."""
        part = slice(*self.found.place_indptr[at : at + 2].tolist())
        keys, support = self.found.place_key[part], self.found.place_support[part]
        return dict(zip(keys.tolist(), support.tolist(), strict=True))

    def sales(self, bundle: Known) -> Sales | None:
        """Return prices, margins and sales of a bundle; None where something is missing."""
        if bundle.at is None or min(bundle.item_ix) < 0 or self.currency(bundle) is None:
            return None
        items = np.array(bundle.priced, np.int32)
        prices = self.catalogue.prices_minor[items]
        if (prices <= 0).any():
            return None
        earned = self._margins.at(np.zeros(len(items), np.int64), items)
        part = slice(*self.found.indptr[bundle.at : bundle.at + 2].tolist())
        both = float(self.found.support[bundle.at])
        shares = offered(bundle.kind, self.found.confidence[part].tolist())
        completes = np.maximum(shares, 1e-9)
        lacking = np.maximum(both / completes - both, 0.0)
        months = self._months * self.settings.sample_share  # of the whole business
        return Sales(
            tuple(prices.tolist()),
            tuple(earned.tolist()),
            both / months,
            tuple((lacking / months).tolist()),
        )

    def _fits(self, bundle: Known, wanted: Wanted) -> bool:
        if wanted.status not in (None, bundle.terms.status) or wanted.kind not in (
            None,
            bundle.kind,
        ):
            return False
        if wanted.item_id is not None and wanted.item_id not in bundle.item_ids:
            return False
        return (
            self._fits_labels(bundle, wanted)
            and self._fits_evidence(bundle, wanted)
            and self._fits_price(bundle, wanted)
        )

    def _fits_labels(self, bundle: Known, wanted: Wanted) -> bool:
        items = [ix for ix in bundle.item_ix if ix >= 0]
        for name, value in (("category", wanted.category), ("department", wanted.department)):
            if value is not None and value not in [self.label(name, ix) for ix in items]:
                return False
        if wanted.q is not None:
            text = wanted.q.casefold()
            return any(text in (self.catalogue.titles[ix] or "").casefold() for ix in items)
        return True

    def label(self, name: str, item_ix: int) -> str | None:
        """Return a product's ``department``, ``category`` or ``brand``."""
        return self._label_names[name].get(int(self.catalogue.labels[name].code[item_ix]))

    @cached_property
    def _label_names(self) -> dict[str, dict[int, str]]:
        return {
            name: {code: text for text, code in labels.position.items()}
            for name, labels in self.catalogue.labels.items()
        }

    def _fits_evidence(self, bundle: Known, wanted: Wanted) -> bool:
        if not any((wanted.min_lift, wanted.min_support, wanted.segment, wanted.location_id)):
            return True
        at = bundle.at
        if at is None:
            return False
        if self.found.lift[at] < wanted.min_lift or self.found.support[at] < wanted.min_support:
            return False
        if wanted.location_id and location_key(wanted.location_id) not in self.places(at):
            return False
        names = [self.segment_name(position) for position in self.segments(at)]
        return not wanted.segment or wanted.segment in names

    def _fits_price(self, bundle: Known, wanted: Wanted) -> bool:
        if wanted.worth is not None and wanted.worth != self.worth(bundle):
            return False
        if wanted.pays is None and wanted.min_margin is None:
            return True
        found = self.quote(bundle)
        if wanted.pays is not None and wanted.pays != (found is not None and found.pays):
            return False
        if wanted.min_margin is None:
            return True
        best = found.suggested if found else None
        return best is not None and best.middle >= wanted.min_margin

    def _key(self, bundle: Known, sort: Sort) -> float:
        if sort == "changed":
            return bundle.decision.changed_ts if bundle.decision else -1
        if sort == "margin":
            found = self.quote(bundle)
            return found.suggested.middle if found and found.suggested else -np.inf
        at = bundle.at
        if at is None:
            return -np.inf
        if sort == "confidence":
            part = slice(*self.found.indptr[at : at + 2].tolist())
            return float(self.found.confidence[part].max())
        value = float(getattr(self.found, sort)[at])
        return -np.inf if np.isnan(value) else value


def _joined(engine: Engine, decisions: Mapping[str, Decision]) -> dict[str, Known]:
    """Bundles that were found, in their order, then those of decisions alone."""
    found, index, of = engine.bundles, engine.index, engine.ranker.grouped.of
    decided: dict[tuple[object, ...], list[Decision]] = {}
    for decision in decisions.values():
        items = index.ix_of(decision.item_ids).tolist()
        if min(items) >= 0:
            decided.setdefault(_same(decision.kind, items, of), []).append(decision)
    joined: dict[str, Known] = {}
    told: set[tuple[object, ...]] = set()
    for at in range(len(found)):
        items = found.members(at).tolist()
        kind, names = KINDS[int(found.kind[at])], tuple(index.item_ids[ix] for ix in items)
        name = bundle_id(kind, names)
        # What was decided of other products of the same choices goes on as it was decided.
        same = _same(kind, items, of)
        if same in told:
            continue
        told.add(same)
        mine = decided.get(same, [])
        if not mine:
            joined.setdefault(name, Known(name, kind, names, tuple(items), at, None))
        for decision in mine:
            chosen = _in_order(index.ix_of(decision.item_ids).tolist(), items, of)
            names = tuple(index.item_ids[ix] for ix in chosen)
            joined.setdefault(
                decision.bundle_id,
                Known(decision.bundle_id, kind, names, tuple(chosen), at, decision),
            )
    for name, decision in decisions.items():
        if name not in joined:
            items = index.ix_of(decision.item_ids).tolist()
            joined[name] = Known(
                name, decision.kind, decision.item_ids, tuple(items), None, decision
            )
    return joined


def _same(kind: str, items: Sequence[int], of: IxArray) -> tuple[object, ...]:
    """What is equal for bundles that a shopper cannot tell apart."""
    choices = of[list(items)].tolist()
    return (kind, *(choices if kind == KINDS[AFTER] else sorted(choices)))


def _in_order(items: list[int], wanted: Sequence[int], of: IxArray) -> list[int]:
    """Put products in the order in which others of the same choices stand."""
    left = list(items)
    ordered = []
    for choice in of[list(wanted)].tolist():
        ordered.append(next(ix for ix in left if of[ix] == choice))
        left.remove(ordered[-1])
    return ordered
