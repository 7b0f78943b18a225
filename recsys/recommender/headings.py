"""What to write over an answer's list: a heading that every item under it bears out.

A question, the reasons of its items and what is new among them come in; a code with its parameters
and words in the question's language come out. Called by ``engine``.
"""

from collections.abc import Sequence
from typing import Any, Final

from recsys.languages import ENGLISH, Language, language_of
from recsys.recommender.placements import Question
from recsys.recommender.reasons import Reason

Heading = dict[str, Any]

#: Reasons that are of one thing anybody sees at a place.
_POPULAR: Final = ("popular", "popular_on_channel", "popular_at_location")
_GOES_WITH: Final = ("bought_together", "bought_next")


def heading_of(
    question: Question,
    reasons: Sequence[Reason],
    cart: frozenset[str],
    *,
    known: bool,
    all_new: bool,
) -> Heading | None:
    """Find the heading that fits a list.

    Parameters
    ----------
    question : Question
    reasons : sequence of Reason
        Of the items, in their order.
    cart : frozenset of str
        Products of the cart, or of the last order where the placement begins from that.
    known : bool
        Whether anything is known of who asks.
    all_new : bool
        Whether they bought none of the items before.

    Returns
    -------
    dict or None
        ``code`` and ``text``, with what the text names; None over an empty list.
    """
    if not reasons:
        return None
    say = language_of(question.lang).gettext
    codes = {str(reason["code"]) for reason in reasons}
    if codes.issubset(_GOES_WITH) and (found := _goes_with(question, reasons, cart)):
        return found
    if codes == {"repeat"}:
        return {"code": "buy_again", "text": say("Buy it again")}
    if codes.issubset(_POPULAR):
        first = reasons[0]
        return dict(first)
    if codes == {"available"}:
        return {"code": "available", "text": say("Available now")}
    if known and all_new:
        return {"code": "new_for_you", "text": say("New for you")}
    if known and not question.item_ids and not question.cart:
        return {"code": "for_you", "text": say("For you")}
    return you_may_like(language_of(question.lang))


def you_may_like(language: Language) -> Heading:
    """Return the heading over a list of which nothing more is true.

    Parameters
    ----------
    language : Language
    """
    return {"code": "you_may_like", "text": language.gettext("You may also like")}


def page_heading(
    used: str, title: str | None, item_id: str, language: Language = ENGLISH
) -> Heading:
    """Return the heading over what a product's page lists: what goes with it, or is like it.

    Parameters
    ----------
    used : str
        ``bought_together``, ``similar`` or ``popular``.
    title, item_id : str
        Of the product of the page.
    language : Language
    """
    if used == "popular":
        return {"code": "popular", "text": language.gettext("Popular right now")}
    name = {"title": language.isolated(title or item_id)}
    known = {"item_id": item_id, **({"title": title} if title else {})}
    if used == "similar":
        text = language.gettext("Similar to %(title)s") % name
        return {"code": "similar_items", "text": text, **known}
    text = language.gettext("Goes well with %(title)s") % name
    return {"code": "goes_with_item", "text": text, **known}


def _goes_with(
    question: Question, reasons: Sequence[Reason], cart: frozenset[str]
) -> Heading | None:
    """What goes with the page, the cart or the last order; None where it goes with several."""
    language = language_of(question.lang)
    say = language.gettext
    sources = {str(reason["item_id"]) for reason in reasons}
    if sources.issubset(question.item_ids):
        if len(sources) > 1:
            return {"code": "goes_with_item", "text": say("Goes well with this")}
        source = reasons[0]
        title = None if source.get("title") is None else str(source["title"])
        return page_heading("bought_together", title, str(source["item_id"]), language)
    if question.cart and sources.issubset(question.cart):
        return {"code": "goes_with_cart", "text": say("Goes well with your cart")}
    if not question.cart and sources.issubset(cart):
        return {"code": "goes_with_last_order", "text": say("Goes well with your last order")}
    return None
