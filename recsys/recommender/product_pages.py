"""Answers a product's page: what is bought together with it, and what is like it.

One product comes in, products with their evidence come out, under the same rules as any other
answer: nothing that is inactive, sold out at the location, excluded, or kept out by the filter; and
as the placement pins, boosts, buries and excludes, where one is named. Called by ``engine``.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from recsys.config import Filter, PlacementSettings
from recsys.datasets import Batch, Context, Histories, Lists
from recsys.languages import Language, language_of
from recsys.models import Content, CoPurchase
from recsys.models.kernels import LEAST_LIFT
from recsys.ranking import (
    Limits,
    Merchandised,
    Merchandising,
    Ranker,
    RankRequest,
    Rules,
    factors_of,
    rules,
    steer,
)
from recsys.recommender.answers import effect_document
from recsys.recommender.headings import Heading, page_heading, you_may_like
from recsys.recommender.item_availability import ItemAvailability
from recsys.recommender.page_limits import page_limits

PageKind = Literal["bought_together", "similar"]
Items = npt.NDArray[np.int32]
#: What speaks for the product at a place of a list.
Evidence = Callable[[int], dict[str, Any] | None]

#: More than are wanted are looked at first, since rules keep some out.
_SPARE = 50


class PageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What to show beside one product."""

    how: PageKind
    item_id: str
    as_of_ts: int
    """UTC epoch seconds; popularity is counted as it was then."""
    count: int = 10
    lang: str = "en"
    """Tag of the offered language that the heading is in."""
    location_id: str | None = None
    exclude: tuple[str, ...] = ()
    filter: Filter | None = None
    attributes: tuple[str, ...] = ()
    """What else to say of each product, by name; ``*`` for everything."""
    age_restricted: bool = False
    """Whether goods with a minimum age may be shown; a placement decides it itself."""
    settings: PlacementSettings | None = None
    """Of the placement that the page belongs to: its rules, filter and stock settings hold."""


class _Asked(NamedTuple):
    """A question with what must not be shown, and what its placement does with the rest."""

    question: PageQuestion
    limits: Limits
    merchandising: Merchandising | None


class _Found(NamedTuple):
    """A list."""

    items: Items
    evidence: Evidence
    done: Merchandised | None = None
    """What the placement's rules did."""
    pinned: frozenset[int] = frozenset()
    """Places of what only a pin brought in."""


class ProductPages:
    """Knows what goes with a product.

    Parameters
    ----------
    item_availability : ItemAvailability
        For where products can be had, and their catalogue.
    ranker : Ranker
        For the rules, and for what is popular where nothing else is known.
    copurchase : CoPurchase
    content : Content
    """

    def __init__(
        self,
        item_availability: ItemAvailability,
        ranker: Ranker,
        copurchase: CoPurchase,
        content: Content,
    ) -> None:
        self._catalogue = item_availability.catalogue
        self._ranker = ranker
        self._copurchase = copurchase
        self._content = content
        self._item_availability = item_availability

    def over(self, item_availability: ItemAvailability, ranker: Ranker) -> "ProductPages":
        """Return the same over another catalogue with its stock, and its rules."""
        return ProductPages(item_availability, ranker, self._copurchase, self._content)

    def answer(self, question: PageQuestion) -> dict[str, Any] | None:
        """Answer a page; see ``Engine.related``."""
        (found_ix,) = self._catalogue.index.ix_of([question.item_id])
        if found_ix < 0:
            return None
        item_ix = int(found_ix)
        asked = self._asked(question, item_ix)
        ways: dict[str, Callable[[], tuple[_Found, dict[str, int]]]] = {
            "bought_together": lambda: self._together(item_ix, asked),
            "similar": lambda: self._similar(item_ix, asked),
            "popular": lambda: (self._popular(asked), {}),
        }
        used: str = question.how
        found, left_out = ways.pop(question.how)()
        fallback = None
        for name, way in ways.items():
            if len(found.items):
                break
            found, _ = way()
            fallback = used = name
        item = self._item(item_ix, question)
        some = bool(len(found.items))
        described = self._described(question, found, used)
        language = language_of(question.lang)
        answer = {
            "lang": question.lang,
            "item": item,
            "heading": self._heading(used, item, found, language) if some else None,
            "items": described,
            "fallback": fallback if some else None,
            "left_out": left_out,
        }
        if found.done is not None and found.done.effects:
            names = [item["item_id"] for item in described]
            answer["rules"] = [effect_document(effect, names) for effect in found.done.effects]
        return answer

    @staticmethod
    def _heading(used: str, item: dict[str, Any], found: _Found, language: Language) -> Heading:
        """Return a heading that is true of every product below it."""
        if found.pinned:
            return you_may_like(language)
        return page_heading(used, item["title"], item["item_id"], language)

    def _item(self, item_ix: int, question: PageQuestion) -> dict[str, Any]:
        item = self._catalogue.item(item_ix)
        if question.attributes:
            item["attributes"] = self._catalogue.attributes.of(item_ix, question.attributes)
        return item

    def _together(self, item_ix: int, asked: _Asked) -> tuple[_Found, dict[str, int]]:
        found = self._copurchase.bought_together(item_ix, len(self._catalogue.index))
        often = np.flatnonzero(found.lift >= LEAST_LIFT)
        items = found.item_ix[often]
        at, left_out = self._free(items, asked.question.count, asked.limits)

        def evidence(place: int) -> dict[str, Any]:
            return {
                "support": int(found.support[often[place]]),
                "confidence": round(float(found.confidence[often[place]]), 4),
                "lift": round(float(found.lift[often[place]]), 3),
            }

        return self._listed(items, found.score[often], at, evidence, asked), left_out

    def _similar(self, item_ix: int, asked: _Asked) -> tuple[_Found, dict[str, int]]:
        count, limits = asked.question.count, asked.limits
        found = self._content.similar(item_ix, count + _SPARE)
        at, left_out = self._free(found.item_ix, count, limits)
        if len(at) < count == len(found.item_ix) - _SPARE:
            # The rules kept many out: look among what they allow alone.
            among, wanted = self._allowed(limits), count
            while True:
                found = self._content.similar(item_ix, wanted, among=among)
                at = self._ranker.all_choices.first_of(found.item_ix)[:count]
                if len(at) == count or len(found.item_ix) < wanted:
                    break
                wanted *= 2

        def evidence(place: int) -> dict[str, Any]:
            return {
                "likeness": round(float(found.scores[place]), 4),
                "title": round(float(found.words[place]), 4),
                "same_category": bool(found.category[place]),
                "same_brand": bool(found.brand[place]),
                "variant": bool(found.variant[place]),
            }

        return self._listed(found.item_ix, found.scores, at, evidence, asked), left_out

    def _listed(
        self,
        items: Items,
        worth: npt.NDArray[np.floating[Any]],
        at: npt.NDArray[np.intp],
        evidence: Evidence,
        asked: _Asked,
    ) -> _Found:
        """Return the list: the first that may be shown, or as the placement wants it.

        Parameters
        ----------
        items : ndarray of shape (m,), int32
            Best first.
        worth : ndarray of shape (m,)
            What orders them.
        at : ndarray of int
            Places of those to show where no placement wants anything else.
        evidence : callable
            By place in ``items``.
        asked : _Asked
        """
        given, limits, count = asked.merchandising, asked.limits, asked.question.count
        if given is None:
            return _Found(self._shown(items[at], limits), lambda place: evidence(int(at[place])))
        steered = steer(self._ranker, items, np.asarray(worth, float), given, limits, count)
        if steered is None:
            return _Found(items[:0], evidence)
        place = steered.place
        return _Found(
            steered.item_ix,
            lambda shown: evidence(int(place[shown])) if place[shown] >= 0 else None,
            steered.done,
            frozenset(np.flatnonzero(place < 0).tolist()),
        )

    def _popular(self, asked: _Asked) -> _Found:
        question, limits, given = asked
        histories = Histories.nobody(1, len(self._catalogue.index))
        context = Context.of(1, question.as_of_ts, location=int(limits.location_keys[0]))
        request = RankRequest(
            np.array([question.count]),
            factors_of({})[None],
            limits,
            merchandising=None if given is None else (given,),
        )
        ranked = self._ranker.rank(Batch(histories, context), request)
        done = ranked.merchandised[0] if ranked.merchandised else None
        effects = done.effects if done else ()
        pinned = (place for one in effects if one.action == "pin" for place in one.places)
        return _Found(ranked.item_ix, lambda _: None, done, frozenset(pinned))

    def _asked(self, question: PageQuestion, item_ix: int) -> _Asked:
        settings = question.settings
        known = self._catalogue.index.ix_of(question.exclude) if question.exclude else ()
        limits, merchandising = page_limits(
            self._catalogue,
            as_of_ts=question.as_of_ts,
            exclude=np.unique([item_ix, *(ix for ix in known if ix >= 0)]).astype(np.int32),
            location_id=question.location_id,
            given=question.filter,
            settings=settings,
            in_stock=settings is None or settings.in_stock,
            age_restricted=question.age_restricted if settings is None else settings.age_restricted,
        )
        return _Asked(question, limits, merchandising)

    def _rules(self, limits: Limits) -> Rules:
        return self._ranker.rules(Histories.nobody(1, len(self._catalogue.index)), limits)

    def _shown(self, leaders: Items, limits: Limits) -> Items:
        """Return the product that stands for each choice here."""
        return self._rules(limits).representatives(Lists.of_rows([leaders]))

    def _free(
        self, items: Items, count: int, limits: Limits
    ) -> tuple[npt.NDArray[np.intp], dict[str, int]]:
        """Places of the first ``count`` products that may be shown; what kept others out."""
        choices = self._ranker.all_choices
        code = self._rules(limits).forbid_choices(Lists.of_rows([items]))
        first = choices.first_of(items)  # what stands behind it of the same is not missed
        again = np.ones(len(items), bool)
        again[first] = False
        code[again] = 0
        free = first[code[first] == 0][:count]
        seen = code[: free[-1] + 1] if len(free) == count else code
        counts = np.bincount(seen, minlength=len(rules.RULES) + 1)[1:].tolist()
        return free, {rule: n for rule, n in zip(rules.RULES, counts, strict=True) if n}

    def _allowed(self, limits: Limits) -> npt.NDArray[np.bool_]:
        every = Lists.of_rows([np.arange(len(self._catalogue.index), dtype=np.int32)])
        allowed: npt.NDArray[np.bool_] = self._rules(limits).forbid(every) == 0
        return allowed

    def _described(self, question: PageQuestion, found: _Found, used: str) -> list[dict[str, Any]]:
        availability = self._item_availability.of(
            question.location_id, found.items, question.as_of_ts
        )
        return [
            {
                **self._item(item_ix, question),
                "rank": place + 1,
                "availability": availability[place],
                "because": "pinned" if place in found.pinned else used,
                "evidence": found.evidence(place),
            }
            for place, item_ix in enumerate(found.items.tolist())
        ]
