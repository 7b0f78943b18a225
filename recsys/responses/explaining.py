"""Says of ranked items why they are shown, what each model thought, and whether it was personal.

What ``rank`` ordered, and for whom, comes in; reasons, explanations and the name of a fallback
come out. Called by ``engine``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.matrices.histories import EMPTY, CustomerHistory, Histories
from recsys.matrices.lists import Lists, contains, pointers, rows_of
from recsys.models import Content, CoPurchase, Popular, Repeat, Transitions, Trending
from recsys.models.base import Context
from recsys.models.content import Because
from recsys.models.popular import LEVELS
from recsys.ranking.candidates import CART, COLUMNS, MODEL_OF
from recsys.ranking.choices import Choices
from recsys.ranking.rank import Ranked
from recsys.responses import reasons
from recsys.responses.catalogue import Catalogue
from recsys.responses.reasons import Reason
from recsys.schema import CHANNELS

_AT_LOCATION: Final = LEVELS.index("popular_at_location")
_NONE: Final = np.empty(0, np.int32)
_NOWHERE: Final = np.empty(0, np.int64)
#: Titles this much alike are of like products; below it, what they share is their kind.
_SAME_WORDS: Final = 0.5
#: "Often bought with" says something from so many times as often as by chance on.
LEAST_LIFT: Final = 1.5
#: Columns that are the same for everyone at a place.
_OF_ALL: Final = ("popular", "trending")


@dataclass(frozen=True)
class Explainer:
    """Knows what reasons are made of.

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
        What of another product of one choice is said is said of the product itself.
    """

    catalogue: Catalogue
    popular: Popular
    copurchase: CoPurchase
    content: Content
    repeat: Repeat
    trending: Trending
    transitions: Transitions
    choices: Choices

    def reasons(self, ranked: Ranked, histories: Histories, context: Context) -> list[Reason]:
        """Say why each shown item is shown.

        Parameters
        ----------
        ranked : Ranked
        histories : Histories
            Of those who ask; empty where nothing of theirs may show.
        context : Context

        Returns
        -------
        list of Reason
            One an item of ``ranked``.
        """
        winner = _spokesmen(ranked)
        loudest: dict[int, int] = {}
        at, items = _won(ranked, winner, "copurchase")
        if len(at):
            empty = Lists(np.zeros(len(context) + 1, np.int64), _NONE)
            without = Context(context.as_of_ts, context.location, context.channel, empty)
            found = self.copurchase.because(histories, without, items)
            loudest |= zip(at.tolist(), self._meant(found, items).tolist(), strict=True)
        at, items = _won(ranked, winner, CART)
        if len(at):
            nobody = Histories.from_rows(
                [EMPTY] * len(context), self.catalogue.index, context.as_of_ts
            )
            found = self.copurchase.because(nobody, context, items)
            loudest |= zip(at.tolist(), self._meant(found, items).tolist(), strict=True)
        at, items = _won(ranked, winner, "transitions")
        before: dict[int, int] = {}
        if len(at):
            found = self.transitions.because(histories, context, items)
            before = dict(zip(at.tolist(), found.tolist(), strict=True))
        habits: dict[int, Reason] = {}
        if COLUMNS.index("repeat") in winner:
            habits = self._habits(ranked, histories, context)
        rises_there = np.zeros(len(winner), bool)
        if COLUMNS.index("trending") in winner:
            rises_there = self.trending.rises_there(context, ranked)
        at, items = _won(ranked, winner, "content")
        kin = self.content.because(histories, context, items) if len(at) else None
        likeness = {place: number for number, place in enumerate(at.tolist())}
        levels = self.popular.level(context).tolist()
        had = self._had(ranked, histories)
        had_any = (np.diff(histories.indptr) > 0).tolist()
        told = []
        for r, level in enumerate(levels):
            popular = reasons.popular(self._counted_where(context, r, level))
            in_store = self.catalogue.is_store(int(context.location[r]))
            for place in range(ranked.indptr[r], ranked.indptr[r + 1]):
                column = COLUMNS[winner[place]]
                because = loudest.get(place, -1)
                of = [because, before.get(place, -1)]
                of += [int(kin.item_ix[likeness[place]])] if kin and place in likeness else []
                if self._is_one_of(int(ranked.item_ix[place]), of):
                    # It would be said to go with itself, or to be like itself.
                    told.append(reasons.repeat(1) if had[place] else popular)
                elif column == "repeat":
                    told.append(habits.get(place, reasons.repeat(1)))
                elif because >= 0:
                    source = self.catalogue.item(because)
                    told.append(reasons.bought_together([source["title"]], [source["item_id"]]))
                elif before.get(place, -1) >= 0:
                    source = self.catalogue.item(before[place])
                    told.append(reasons.bought_next(source["title"], source["item_id"]))
                elif column == "copurchase" and had_any[r]:
                    told.append(reasons.similar_taste())
                elif column == "trending":
                    told.append(reasons.trending(in_store=in_store and bool(rises_there[place])))
                elif column in ("als", "bpr"):
                    told.append(reasons.similar_taste())
                elif column == "neighbours":
                    told.append(reasons.similar_customers())
                elif kin and place in likeness and kin.item_ix[likeness[place]] >= 0:
                    told.append(self._like(int(ranked.item_ix[place]), kin, likeness[place]))
                elif ranked.scores[place, COLUMNS.index("popular")] > 0:
                    told.append(popular)
                else:
                    told.append(reasons.available())
        return told

    def warm(self, row: CustomerHistory, as_of_ts: int) -> None:
        """Ask every model once for what it says of a product, see ``warming``."""
        index = self.catalogue.index
        histories, context = Histories.from_rows([row], index, as_of_ts), Context.of(1, as_of_ts)
        items = Lists.of_rows([np.arange(min(1, len(index)), dtype=np.int32)])
        for model in (self.copurchase, self.transitions, self.content):
            model.because(histories, context, items)
        self.repeat.timing(histories, context)
        self.trending.rises_there(context, items)

    def _had(self, ranked: Ranked, histories: Histories) -> npt.NDArray[np.bool_]:
        """Whether the customer bought any product of the choice of each item."""
        past = Lists(np.asarray(histories.indptr, np.int64), self.choices.of[histories.item_ix])
        return contains(past, rows_of(ranked), self.choices.of[ranked.item_ix])

    def _meant(self, sources: npt.NDArray[np.int32], items: Lists) -> npt.NDArray[np.int32]:
        """Keep the sources with which products are bought so often that it is worth saying."""
        kept = np.array(sources)
        at = np.flatnonzero(kept >= 0)
        lifts = self.copurchase.lifts(kept[at], items.item_ix[at])
        kept[at[~(lifts >= LEAST_LIFT)]] = -1
        return kept

    def _is_one_of(self, item_ix: int, others: Sequence[int]) -> bool:
        """Whether a product is one choice with any of others; -1 for none."""
        of = self.choices.of
        return any(other >= 0 and of[other] == of[item_ix] for other in others)

    def _habits(self, ranked: Ranked, histories: Histories, context: Context) -> dict[int, Reason]:
        """What to say of each item that its customer bought before; by its place in ``ranked``."""
        timing = self.repeat.timing(histories, context, ranked)
        n_items = histories.n_items
        keys = rows_of(timing) * n_items + timing.item_ix
        wanted = rows_of(ranked) * n_items + ranked.item_ix
        if not len(keys):
            return {}
        found = np.searchsorted(keys[:-1], wanted)
        shown = np.flatnonzero(keys[found] == wanted)
        return {
            at: reasons.repeat(
                int(timing.times[ix]),
                float(timing.own_interval_days[ix]) if timing.regular[ix] else None,
                float(timing.elapsed_days[ix]) if timing.overdue[ix] else None,
            )
            for at, ix in zip(shown.tolist(), found[shown].tolist(), strict=True)
        }

    def _like(self, item_ix: int, kin: Because, at: int) -> Reason:
        """What to say of an item that is like something its customer bought."""
        bought = int(kin.item_ix[at])
        kind = None
        if kin.words[at] < _SAME_WORDS:
            labels = (self.catalogue.labels[name] for name in ("category", "brand"))
            shared = (
                of.names[of.code[item_ix]]
                for of in labels
                if of.code[item_ix] >= 0 and of.code[item_ix] == of.code[bought]
            )
            kind = next(shared, None)
        source = self.catalogue.item(bought)
        return reasons.similar_item(kind, source["title"], source["item_id"])

    def _counted_where(self, context: Context, r: int, level: int) -> str | None:
        """Whose purchases a question's popular products were counted from."""
        if level == _AT_LOCATION:
            return "store" if self.catalogue.is_store(int(context.location[r])) else "online"
        if LEVELS[level] == "popular_on_channel":
            return "stores" if CHANNELS[context.channel[r]] == "pos" else "online"
        return None


def _won(ranked: Ranked, winner: list[int], column: str) -> tuple[npt.NDArray[np.intp], Lists]:
    """Find the items for which a column speaks: their places in ``ranked``, and row by row."""
    wanted = COLUMNS.index(column)
    if wanted not in winner:
        return _NOWHERE, Lists(np.zeros(len(ranked.indptr), np.int64), _NONE)
    at = np.flatnonzero(np.asarray(winner) == wanted)
    return at, Lists(pointers(rows_of(ranked)[at], len(ranked.indptr) - 1), ranked.item_ix[at])


def fallback(
    ranked: Ranked, r: int, histories: Histories, context: Context, level: int
) -> str | None:
    """Name what was used where neither history nor cart had anything to say.

    Parameters
    ----------
    ranked : Ranked
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
    personal = [COLUMNS.index(name) for name in COLUMNS if name not in _OF_ALL]
    if (own or cart) and (ranked.scores[part][:, personal] > 0).any():
        return None
    bought = ranked.scores[part, COLUMNS.index("popular")]
    if not (bought > 0).any():
        return "available"
    return "popular_at_location" if level == _AT_LOCATION else "popular"


def _spokesmen(ranked: Ranked) -> list[int]:
    """Column that gives the reason for each item: the one whose evidence weighs most.

    Of what somebody buys anyway it would be odd to say that others like it, or that it goes with
    something else they once bought: there only the cart may speak before their own purchases.
    """
    repeat, cart = COLUMNS.index("repeat"), COLUMNS.index(CART)
    silent = ~(ranked.evidence > 0).any(axis=1)
    winner = np.where(silent, COLUMNS.index("popular"), ranked.evidence.argmax(axis=1))
    bought_before = (ranked.scores[:, repeat] > 0) & (winner != cart)
    spokesmen: list[int] = np.where(bought_before, repeat, winner).tolist()
    return spokesmen


def explanation(ranked: Ranked, at: int) -> dict[str, Any]:
    """What each model thought of an item, and what that counted for."""
    return {
        column: {
            "model": MODEL_OF[column],
            "score": round(float(ranked.scores[at, ix]), 6),
            "evidence": round(float(ranked.evidence[at, ix]), 4),
        }
        for ix, column in enumerate(COLUMNS)
    }
