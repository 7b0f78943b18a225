"""Answers a product's page: what is bought together with it, and what is like it.

One product comes in, products with their evidence come out, under the same rules as any other
answer: nothing that is inactive, sold out at the location, excluded, or kept out by the filter.
Called by ``engine``.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from recsys.config import Filter
from recsys.datasets import Batch, Context, Histories, Lists
from recsys.models import Content, CoPurchase
from recsys.models.kernels import LEAST_LIFT
from recsys.ranking import Limits, Ranker, RankRequest, Rules, factors_of, rules
from recsys.recommender.headings import page_heading
from recsys.recommender.item_availability import ItemAvailability

PageKind = Literal["bought_together", "similar"]
Items = npt.NDArray[np.int32]
#: Products and, for each, what speaks for it.
Found = tuple[Items, Callable[[int], dict[str, Any] | None]]

#: More than are wanted are looked at first, since rules keep some out.
_SPARE = 50


class PageQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What to show beside one product."""

    how: PageKind
    item_id: str
    as_of_ts: int
    """UTC epoch seconds; popularity is counted as it was then."""
    count: int = 10
    location_id: str | None = None
    exclude: tuple[str, ...] = ()
    filter: Filter | None = None
    attributes: tuple[str, ...] = ()
    """What else to say of each product, by name; ``*`` for everything."""
    age_restricted: bool = False
    """Whether goods with a minimum age may be shown."""


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
        (item_ix,) = self._catalogue.index.ix_of([question.item_id])
        if item_ix < 0:
            return None
        limits = self._limits(question, int(item_ix))
        ways: dict[str, Callable[[], tuple[Found, dict[str, int]]]] = {
            "bought_together": lambda: self._together(int(item_ix), question, limits),
            "similar": lambda: self._similar(int(item_ix), question, limits),
            "popular": lambda: (self._popular(question, limits), {}),
        }
        used: str = question.how
        (items, evidence), left_out = ways.pop(question.how)()
        fallback = None
        for name, way in ways.items():
            if len(items):
                break
            (items, evidence), _ = way()
            fallback = used = name
        item = self._item(int(item_ix), question)
        return {
            "item": item,
            "heading": page_heading(used, item["title"], item["item_id"]) if len(items) else None,
            "items": self._described(question, items, evidence, used),
            "fallback": fallback if len(items) else None,
            "left_out": left_out,
        }

    def _item(self, item_ix: int, question: PageQuestion) -> dict[str, Any]:
        item = self._catalogue.item(item_ix)
        if question.attributes:
            item["attributes"] = self._catalogue.attributes.of(item_ix, question.attributes)
        return item

    def _together(
        self, item_ix: int, question: PageQuestion, limits: Limits
    ) -> tuple[Found, dict[str, int]]:
        found = self._copurchase.bought_together(item_ix, len(self._catalogue.index))
        often = np.flatnonzero(found.lift >= LEAST_LIFT)
        at, left_out = self._free(found.item_ix[often], question.count, limits)
        at = often[at]

        def evidence(place: int) -> dict[str, Any]:
            return {
                "support": int(found.support[at[place]]),
                "confidence": round(float(found.confidence[at[place]]), 4),
                "lift": round(float(found.lift[at[place]]), 3),
            }

        return (self._shown(found.item_ix[at], limits), evidence), left_out

    def _similar(
        self, item_ix: int, question: PageQuestion, limits: Limits
    ) -> tuple[Found, dict[str, int]]:
        found = self._content.similar(item_ix, question.count + _SPARE)
        at, left_out = self._free(found.item_ix, question.count, limits)
        if len(at) < question.count == len(found.item_ix) - _SPARE:
            # The rules kept many out: look among what they allow alone.
            among, wanted = self._allowed(limits), question.count
            while True:
                found = self._content.similar(item_ix, wanted, among=among)
                at = self._ranker.all_choices.first_of(found.item_ix)[: question.count]
                if len(at) == question.count or len(found.item_ix) < wanted:
                    break
                wanted *= 2

        def evidence(place: int) -> dict[str, Any]:
            return {
                "likeness": round(float(found.scores[at[place]]), 4),
                "title": round(float(found.words[at[place]]), 4),
                "same_category": bool(found.category[at[place]]),
                "same_brand": bool(found.brand[at[place]]),
                "variant": bool(found.variant[at[place]]),
            }

        return (self._shown(found.item_ix[at], limits), evidence), left_out

    def _popular(self, question: PageQuestion, limits: Limits) -> Found:
        histories = Histories.nobody(1, len(self._catalogue.index))
        context = Context.of(1, question.as_of_ts, location=int(limits.location_keys[0]))
        asked = RankRequest(np.array([question.count]), factors_of({})[None], limits)
        return self._ranker.rank(Batch(histories, context), asked).item_ix, lambda _: None

    def _limits(self, question: PageQuestion, item_ix: int) -> Limits:
        known = self._catalogue.index.ix_of(question.exclude) if question.exclude else ()
        exclude = np.unique([item_ix, *(ix for ix in known if ix >= 0)])
        return Limits(
            exclude=Lists.of_rows([exclude.astype(np.int32)]),
            cart=Lists.of_rows([np.empty(0, np.int32)]),
            new_only=np.zeros(1, bool),
            hidden_since_ts=np.array([question.as_of_ts]),
            location_keys=np.array([self._catalogue.location(question.location_id)]),
            in_stock=np.ones(1, bool),
            filters=(question.filter,),
            of_age=np.array([question.age_restricted]),
            as_of_ts=np.array([question.as_of_ts]),
        )

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

    def _described(
        self,
        question: PageQuestion,
        items: Items,
        evidence: Callable[[int], dict[str, Any] | None],
        used: str,
    ) -> list[dict[str, Any]]:
        availability = self._item_availability.of(question.location_id, items, question.as_of_ts)
        return [
            {
                **self._item(item_ix, question),
                "rank": place + 1,
                "availability": availability[place],
                "because": used,
                "evidence": evidence(place),
            }
            for place, item_ix in enumerate(items.tolist())
        ]
