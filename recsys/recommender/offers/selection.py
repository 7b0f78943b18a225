"""Which bundle for whom: of those approved, the ones that somebody has a part of.

Approved decisions and a catalogue come in; for each question out come the bundles that might be
offered, with what is missing of each, and, once the ranker has said how likely the missing part is
wanted, the order of them. Called by ``engine``; promising anything is the ledger's business.

With a cart, a bundle comes up where the cart holds a part of it; without one, where the customer
has bought a part of it lately. What the customer will most likely buy anyway is not offered anew:
that would be a gift.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.bundles import AFTER, BUNDLE_KINDS, Decision
from recsys.datasets import Histories, ItemIndex, Lists
from recsys.ranking import Choices, Limits, Ranker, Rules
from recsys.recommender.placements import BOUGHT_ON, Question
from recsys.units import DAY

#: What was bought in the last days speaks for a bundle without a cart.
LATELY_DAYS: Final = 60
#: Who lacks something that they will buy with this chance gets no discount on it.
SURE: Final = 0.5

Items = frozenset[int]


class Proposal(NamedTuple):
    """A bundle that one question might be answered with.

    Attributes
    ----------
    bundle_id : str
    missing : tuple of int
        Positions of what the customer does not hold, ascending.
    stands : bool
        Whether it is promised already.
    choices : tuple of int
        Of its products, ascending: who cannot tell two bundles apart gets one of them.
    fits : bool
        Whether a part of it is in the cart.
    """

    bundle_id: str
    missing: tuple[int, ...]
    stands: bool
    choices: tuple[int, ...]
    fits: bool


@dataclass(frozen=True)
class _Bundle:
    decision: Decision
    items: tuple[int, ...]
    choices: tuple[int, ...]


class OfferableBundles:
    """The approved bundles over one catalogue.

    Parameters
    ----------
    index : ItemIndex
    decisions : mapping
        Bundle id → decision, of any status.
    choices : Choices, optional
        Of the catalogue: any product of a choice stands for the others. By default every product
        is alone.
    withheld : collection of str
        Bundles that cannot be promised at present prices: of these only what stands is told.
    """

    def __init__(
        self,
        index: ItemIndex,
        decisions: Mapping[str, Decision],
        choices: Choices | None = None,
        withheld: Collection[str] = (),
    ) -> None:
        self._withheld = frozenset(withheld)
        self._of = (Choices.alone(len(index)) if choices is None else choices).of
        self._bundles: dict[str, _Bundle] = {}
        self._with_choice: dict[int, list[str]] = {}
        for name in sorted(decisions):
            decision = decisions[name]
            items = tuple(index.ix_of(decision.item_ids).tolist())
            if min(items) < 0 or decision.terms.status not in ("approved", "paused"):
                continue
            of = tuple(self._of[list(items)].tolist())
            self._bundles[name] = _Bundle(decision, items, of)
            for choice in set(of):
                self._with_choice.setdefault(choice, []).append(name)

    def __bool__(self) -> bool:
        return bool(self._bundles)

    def propose(
        self,
        questions: Sequence[Question],
        histories: Histories,
        carts: Sequence[npt.NDArray[np.int32]],
        ranker: Ranker,
        limits: Limits,
    ) -> list[list[Proposal]]:
        """Find the bundles that each question might be answered with.

        Parameters
        ----------
        questions : sequence of Question
            Those with ``offers`` above 0 get any.
        histories : Histories
            Of the customers who ask.
        carts : sequence of ndarray of int32
            What each holds.
        ranker : Ranker
            Its shelf and facts say what may be sold.
        limits : Limits
            What each question forbids.
        """
        found: list[list[Proposal]] = []
        for r, question in enumerate(questions):
            if not question.offers or not self._bundles:
                found.append([])
                continue
            barred = None if question.settings.age_restricted else ranker.age_restricted
            held = frozenset(self._of[carts[r]].tolist() if question.cart else ())
            has = held or frozenset(self._of[_lately(histories, r, question.as_of_ts)].tolist())
            mine = [
                proposal
                for bundle in self._near(has, question.standing)
                if barred is None or not barred[list(bundle.items)].any()
                if (proposal := self._proposal(bundle, question, held, has)) is not None
            ]
            found.append(_sellable(mine, histories[r : r + 1], ranker, limits.row(r)))
        return found

    def for_anybody(
        self, item_ix: int | None, channel: str, location_id: str, as_of_ts: int
    ) -> list[Decision]:
        """Find the bundles with a product that may be promised to whoever buys all of it at once.

        Parameters
        ----------
        item_ix : int or None
            Position in the catalogue; None: of any product.
        channel, location_id : str
            Where it would be bought.
        as_of_ts : int
            Time of the question, UTC epoch seconds.

        Returns
        -------
        list of Decision
            By bundle id. None that follows an earlier purchase.
        """
        names: Iterable[str] = self._bundles
        if item_ix is not None:
            names = self._with_choice.get(int(self._of[item_ix]), ()) if self._bundles else ()
        decisions = [
            self._bundles[name].decision
            for name in names
            if name not in self._withheld
            and (item_ix is None or item_ix in self._bundles[name].items)
        ]
        return [
            decision
            for decision in decisions
            if decision.kind != BUNDLE_KINDS[AFTER]
            and _offered(decision, as_of_ts)
            and (not decision.terms.channels or channel in decision.terms.channels)
            and (not decision.terms.locations or location_id in decision.terms.locations)
        ]

    def _near(self, has: Items, standing: Sequence[str]) -> Iterable[_Bundle]:
        """Bundles with a part that somebody has, and those promised to them."""
        near = {name for choice in has for name in self._with_choice.get(choice, ())}
        near |= {name for name in standing if name in self._bundles}
        return (self._bundles[name] for name in sorted(near))

    def _proposal(
        self, bundle: _Bundle, question: Question, held: Items, has: Items
    ) -> Proposal | None:
        decision, terms = bundle.decision, bundle.decision.terms
        stands = decision.bundle_id in question.standing
        of = list(zip(bundle.items, bundle.choices, strict=True))
        if decision.kind == BUNDLE_KINDS[AFTER]:
            # The first product was bought before; the offer is for what follows.
            began = of[0][1] in has or stands
            missing = [ix for ix, choice in of[1:] if choice not in held] if began else []
        else:
            missing = [ix for ix, choice in of if choice not in (held or has)]
        fits = not held.isdisjoint(bundle.choices)
        may = question.promises == "any" or (question.promises == "cart" and fits)
        may = may and decision.bundle_id not in self._withheld
        if not stands and not (may and missing and _offered(decision, question.as_of_ts)):
            return None
        if terms.locations and question.location_id not in terms.locations:
            return None
        sold_on = BOUGHT_ON.get(question.settings.channel)
        if terms.channels and sold_on is not None and sold_on not in terms.channels:
            return None
        return Proposal(
            decision.bundle_id, tuple(sorted(missing)), stands, tuple(sorted(bundle.choices)), fits
        )


NO_BUNDLES: Final = OfferableBundles(ItemIndex([]), {})


def lacking(proposals: Sequence[Sequence[Proposal]]) -> Lists:
    """Return the products whose chance decides, of each question ascending."""
    return Lists.of_rows(
        [
            np.array(sorted({ix for proposal in mine for ix in proposal.missing}), np.int32)
            for mine in proposals
        ]
    )


def choose_bundles(
    questions: Sequence[Question],
    proposals: Sequence[Sequence[Proposal]],
    missing: Lists,
    chance: npt.NDArray[np.float64],
    index: ItemIndex,
) -> list[list[dict[str, Any]]]:
    """Choose by the chance that the customer wants what is missing.

    Parameters
    ----------
    questions : sequence of Question
    proposals : sequence of sequence of Proposal
    missing : Lists
        As ``lacking`` made it of them.
    chance : ndarray of the length of ``missing.item_ix``, float64
    index : ItemIndex

    Returns
    -------
    list of list of dict
        ``bundle_id``, ``missing`` and ``chance``, that of the least wanted missing product, 1
        where nothing is missing. What fits the cart comes first, then what stands, then by
        falling chance; as many as each question may be offered.
    """
    decided = []
    for r, question in enumerate(questions):
        part = slice(*missing.indptr[r : r + 2].tolist())
        of = dict(zip(missing.item_ix[part].tolist(), chance[part].tolist(), strict=True))
        scored = [(it, min((of[ix] for ix in it.missing), default=1.0)) for it in proposals[r]]
        scored = [(it, likely) for it, likely in scored if it.stands or likely < SURE]
        scored.sort(key=lambda at: (not at[0].fits, not at[0].stands, -at[1], at[0].bundle_id))
        once = {pair[0].choices: pair for pair in reversed(scored)}
        scored = [pair for pair in scored if once[pair[0].choices] is pair]
        decided.append(
            [
                {
                    "bundle_id": proposal.bundle_id,
                    "missing": [index.item_ids[ix] for ix in proposal.missing],
                    "chance": round(likely, 6),
                }
                for proposal, likely in scored[: question.offers]
            ]
        )
    return decided


def _offered(decision: Decision, now_ts: int) -> bool:
    """Whether a bundle may be promised anew at a time."""
    terms = decision.terms
    return (
        terms.status == "approved"
        and (terms.starts_ts is None or terms.starts_ts <= now_ts)
        and (terms.ends_ts is None or now_ts < terms.ends_ts)
    )


def _lately(histories: Histories, r: int, as_of_ts: int) -> npt.NDArray[np.int32]:
    kept = histories.purchases  # what came back goes with nothing
    part = slice(*kept.indptr[r : r + 2].tolist())
    recent = kept.ts[part] >= as_of_ts - LATELY_DAYS * DAY
    return kept.item_ix[part][recent]


def _sellable(
    mine: list[Proposal], history: Histories, ranker: Ranker, limits: Limits
) -> list[Proposal]:
    """Keep the proposals whose missing products may all be shown, and lie on the shelf.

    Where another product of a choice stands for it here, that one is what is missing.
    """
    if not mine:
        return mine
    items = lacking([mine])
    rules = ranker.rules(history, limits)
    code = rules.forbid_choices(items)
    shown = _represented(items, rules)
    of = {
        ix: other
        for ix, other, barred in zip(items.item_ix.tolist(), shown, code.tolist(), strict=True)
        if not barred
    }
    return [
        it._replace(missing=tuple(sorted({of[ix] for ix in it.missing})))
        for it in mine
        if all(ix in of for ix in it.missing)
    ]


def _represented(items: Lists, rules: Rules) -> list[int]:
    """Return what is shown for each product; several of them may be of one choice."""
    choices = rules.choices
    first = choices.first_of(items.item_ix)
    leaders = Lists.of_rows([items.item_ix[first]])
    shown = rules.representatives(leaders)
    of = dict(zip(choices.of[leaders.item_ix].tolist(), shown.tolist(), strict=True))
    return [of[choice] for choice in choices.of[items.item_ix].tolist()]
