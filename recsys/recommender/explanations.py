"""Explains ranked items: why each is shown, how each model scored it, and whether it is personal.

Ranked lists and the batch they were ranked for come in; reasons, explanations and the name of a
fallback come out. Called by ``engine``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import (
    Batch,
    Context,
    CustomerHistory,
    Histories,
    IxArray,
    Lists,
    pointers,
    rows_contain,
    rows_of,
)
from recsys.languages import Language
from recsys.models import (
    POPULAR_LEVELS,
    Content,
    CoPurchase,
    Popular,
    Repeat,
    SharedTraits,
    Transitions,
    Trending,
)
from recsys.models.kernels import LEAST_LIFT
from recsys.ranking import CART_COLUMN, EVIDENCE_COLUMNS, MODEL_OF_COLUMN, Choices, RankedLists
from recsys.recommender import reasons
from recsys.recommender.catalogue import Catalogue
from recsys.recommender.purchase_habits import habits_of
from recsys.recommender.reasons import Reason
from recsys.schema import CHANNELS

_AT_LOCATION: Final = POPULAR_LEVELS.index("popular_at_location")
_NONE: Final = np.empty(0, np.int32)
_NOWHERE: Final = np.empty(0, np.int64)
#: Titles this much alike are of like products; below it, what they share is their kind.
_SAME_WORDS: Final = 0.5
#: Columns that are the same for everyone at a place.
_OF_ALL: Final = ("popular", "trending")


class ReasonLimits(NamedTuple):
    """Products that reasons may name.

    Attributes
    ----------
    of_age : ndarray of shape (n,), bool
        Whether goods with a minimum age may be named.
    named : Lists
        Products that the questions name themselves, of the cart and of the page.
    """

    of_age: npt.NDArray[np.bool_]
    named: Lists


@dataclass(frozen=True)
class Explainer:
    """Gives the reason why each item is shown.

    Parameters
    ----------
    catalogue : Catalogue
    popular : Popular
    copurchase : CoPurchase
    content : Content
    repeat : Repeat
    trending : Trending
    transitions : Transitions
    choices : Choices
        A reason that names another product of the item's choice is one about the item itself.
    age_restricted : ndarray of shape (n_items,), bool
        Goods with a minimum age: a placement that does not show them does not name them either,
        unless the question does.
    """

    catalogue: Catalogue
    popular: Popular
    copurchase: CoPurchase
    content: Content
    repeat: Repeat
    trending: Trending
    transitions: Transitions
    choices: Choices
    age_restricted: npt.NDArray[np.bool_]

    def reasons(
        self,
        ranked: RankedLists,
        batch: Batch,
        sayable: ReasonLimits,
        languages: Sequence[Language],
    ) -> list[Reason]:
        """Say why each shown item is shown.

        Parameters
        ----------
        ranked : RankedLists
        batch : Batch
            Histories of those who ask, empty where nothing of theirs may show, and contexts.
        sayable : ReasonLimits
        languages : sequence of Language
            That of each question.

        Returns
        -------
        list of Reason
            One an item of ``ranked``.
        """
        winner = _explaining_columns(ranked)
        histories, context = batch.histories, batch.context
        sources = self._sources(ranked, winner, batch, sayable, languages)
        habits = habits_of(ranked, histories, context.as_of_ts, self.choices)
        overdue = self.repeat.overdue(batch, ranked) if habits else ()
        rises_there = np.zeros(len(winner), bool)
        if EVIDENCE_COLUMNS.index("trending") in winner:
            rises_there = self.trending.rises_there(context, ranked)
        levels = self.popular.level(batch).tolist()
        had_any = (np.diff(histories.indptr) > 0).tolist()
        said = []
        for r, level in enumerate(levels):
            language = languages[r]
            popular = self._popular(context, r, level, language)
            location = int(context.location[r])
            for place in range(ranked.indptr[r], ranked.indptr[r + 1]):
                column = EVIDENCE_COLUMNS[winner[place]]
                sells = ranked.scores[place, EVIDENCE_COLUMNS.index("popular")] > 0
                plain = popular if sells else reasons.available(language)
                source = sources.get(place)
                if column == "repeat" or (source is not None and source.itself):
                    # Else it would be said to go with itself, or to be like itself.
                    habit = habits.get(place)
                    said.append(
                        reasons.repeat(habit, language, overdue=bool(overdue[place]))
                        if habit
                        else plain
                    )
                elif source is not None:
                    said.append(source.reason)
                elif column == "copurchase" and had_any[r]:
                    said.append(reasons.similar_taste(language))
                elif column == "trending" and rises_there[place] and self._is_store(location):
                    named = self.catalogue.place(location)
                    said.append(
                        reasons.trending_at_location(named["location_id"], named["name"], language)
                    )
                elif column == "trending":
                    said.append(reasons.trending(language))
                elif column in ("als", "bpr"):
                    said.append(reasons.similar_taste(language))
                elif column == "neighbours":
                    said.append(reasons.similar_customers(language))
                else:
                    said.append(plain)
        return said

    def _sources(
        self,
        ranked: RankedLists,
        winner: list[int],
        batch: Batch,
        sayable: ReasonLimits,
        languages: Sequence[Language],
    ) -> dict[int, "_Source"]:
        """Products bought or chosen before that explain an item, by its place in ``ranked``.

        None where the link is weak, or where the product must not be named.
        """
        found: dict[int, _Source] = {}

        def add(
            at: npt.NDArray[np.intp], speaker: IxArray, say: Callable[[int, int, Language], Reason]
        ) -> None:
            rows = rows_of(ranked)[at]
            hushed = self.age_restricted[speaker] & ~sayable.of_age[rows]
            hushed &= ~rows_contain(sayable.named, rows, speaker)
            kept = np.flatnonzero((speaker >= 0) & ~hushed)
            for number, place in zip(kept.tolist(), at[kept].tolist(), strict=True):
                item, other = int(ranked.item_ix[place]), int(speaker[number])
                same = self.choices.of[item] == self.choices.of[other]
                reason = say(number, other, languages[rows[number]])
                found[place] = _Source(bool(same), reason)

        at, items = _won(ranked, winner, "copurchase")
        if len(at):
            without = batch.without_cart if len(batch.context.cart.item_ix) else batch
            speaker = self.copurchase.because(without, items)
            add(at, _meant(self.copurchase, speaker, items), self._together)
        at, items = _won(ranked, winner, CART_COLUMN)
        if len(at):
            speaker = self.copurchase.because(batch.cart_alone, items)
            add(at, _meant(self.copurchase, speaker, items), self._together)
        at, items = _won(ranked, winner, "transitions")
        if len(at):
            speaker = self.transitions.because(batch, items)
            add(at, _meant(self.transitions, speaker, items), self._after)
        at, items = _won(ranked, winner, "content")
        if len(at):
            kin = self.content.because(batch, items)
            add(at, kin.item_ix, lambda n, _, language: self._like(items, kin, n, language))
        return found

    def _together(self, _: int, item_ix: int, language: Language) -> Reason:
        source = self.catalogue.item(item_ix)
        return reasons.bought_together(source["title"], source["item_id"], language)

    def _after(self, _: int, item_ix: int, language: Language) -> Reason:
        source = self.catalogue.item(item_ix)
        return reasons.bought_next(source["title"], source["item_id"], language)

    def warm(self, row: CustomerHistory, as_of_ts: int) -> None:
        """Ask every model once for what it says of a product, see ``warm_up``."""
        index = self.catalogue.index
        batch = Batch(Histories.from_rows([row], index, as_of_ts), Context.of(1, as_of_ts))
        items = Lists.of_rows([np.arange(min(1, len(index)), dtype=np.int32)])
        for model in (self.copurchase, self.transitions, self.content):
            model.because(batch, items)
        self.repeat.overdue(batch, items)
        self.trending.rises_there(batch.context, items)

    def _like(self, items: Lists, kin: SharedTraits, at: int, language: Language) -> Reason:
        """Reason for an item that is like one its customer bought."""
        item_ix, bought = int(items.item_ix[at]), int(kin.item_ix[at])
        shared: dict[str, str] = {}
        if kin.words[at] < _SAME_WORDS:
            for name in ("category", "brand"):
                of = self.catalogue.labels[name]
                if not shared and of.code[item_ix] >= 0 and of.code[item_ix] == of.code[bought]:
                    shared[name] = of.names[of.code[item_ix]]
        source = self.catalogue.item(bought)
        return reasons.similar_item(source["title"], source["item_id"], language, **shared)

    def _popular(self, context: Context, r: int, level: int, language: Language) -> Reason:
        """Reason for a question's popular products: whose purchases they were counted from."""
        if level == _AT_LOCATION:
            place = self.catalogue.place(int(context.location[r]))
            if place["location_id"] is None:
                return reasons.popular(language)
            store = self._is_store(int(context.location[r]))
            return reasons.popular_at_location(
                place["location_id"], place["name"], language, store=store
            )
        if POPULAR_LEVELS[level] == "popular_on_channel":
            return reasons.popular_on_channel(CHANNELS[context.channel[r]], language)
        return reasons.popular(language)

    def _is_store(self, location: int) -> bool:
        return self.catalogue.is_store(location)


class _Source(NamedTuple):
    """A product that explains an item: whether both are one choice, and the reason to give."""

    itself: bool
    reason: Reason


def _meant(
    model: CoPurchase | Transitions, sources: npt.NDArray[np.int32], items: Lists
) -> npt.NDArray[np.int32]:
    """Keep the sources whose lift with their item is at least ``LEAST_LIFT``; others become -1."""
    kept = np.array(sources)
    at = np.flatnonzero(kept >= 0)
    lifts = model.lifts(kept[at], items.item_ix[at])
    kept[at[~(lifts >= LEAST_LIFT)]] = -1
    return kept


def _won(ranked: RankedLists, winner: list[int], column: str) -> tuple[npt.NDArray[np.intp], Lists]:
    """Find the items that a column explains: their places in ``ranked``, and row by row."""
    wanted = EVIDENCE_COLUMNS.index(column)
    if wanted not in winner:
        return _NOWHERE, Lists(np.zeros(len(ranked.indptr), np.int64), _NONE)
    at = np.flatnonzero(np.asarray(winner) == wanted)
    return at, Lists(pointers(rows_of(ranked)[at], len(ranked.indptr) - 1), ranked.item_ix[at])


def fallback(
    ranked: RankedLists, r: int, histories: Histories, context: Context, level: int
) -> str | None:
    """Name the fallback that was used where neither history nor cart led to an item.

    Parameters
    ----------
    ranked : RankedLists
    r : int
        The question.
    histories : Histories
    context : Context
    level : int
        Index into ``popular.LEVELS``: whose purchases its popular products were counted from.

    Returns
    -------
    str or None
        ``popular_at_location``, ``popular``, or ``available`` where nothing that may be shown was
        ever bought; None where the answer is a personal one, or empty.
    """
    looked = histories.events.indptr
    own = histories.indptr[r + 1] > histories.indptr[r] or looked[r + 1] > looked[r]
    cart = context.cart.indptr[r + 1] > context.cart.indptr[r]
    part = slice(ranked.indptr[r], ranked.indptr[r + 1])
    if part.start == part.stop:
        return None
    personal = [EVIDENCE_COLUMNS.index(name) for name in EVIDENCE_COLUMNS if name not in _OF_ALL]
    if (own or cart) and (ranked.scores[part][:, personal] > 0).any():
        return None
    bought = ranked.scores[part, EVIDENCE_COLUMNS.index("popular")]
    if not (bought > 0).any():
        return "available"
    return "popular_at_location" if level == _AT_LOCATION else "popular"


def _explaining_columns(ranked: RankedLists) -> list[int]:
    """Column that gives the reason for each item: the one with the most evidence.

    Where customers have bought an item before, their own purchases are the reason, unless the cart
    is: to say that others like it would be odd.
    """
    repeat, cart = EVIDENCE_COLUMNS.index("repeat"), EVIDENCE_COLUMNS.index(CART_COLUMN)
    silent = ~(ranked.evidence > 0).any(axis=1)
    winner = np.where(silent, EVIDENCE_COLUMNS.index("popular"), ranked.evidence.argmax(axis=1))
    bought_before = (ranked.scores[:, repeat] > 0) & (winner != cart)
    columns: list[int] = np.where(bought_before, repeat, winner).tolist()
    return columns


def explanation(ranked: RankedLists, at: int) -> dict[str, Any]:
    """Each model's score of an item, and its weight as evidence."""
    return {
        column: {
            "model": MODEL_OF_COLUMN[column],
            "score": round(float(ranked.scores[at, ix]), 6),
            "evidence": round(float(ranked.evidence[at, ix]), 4),
        }
        for ix, column in enumerate(EVIDENCE_COLUMNS)
    }
