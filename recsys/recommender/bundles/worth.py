"""Which bundles are worth a marketer's minute, and why the others are not.

One bundle of ``Suggestions`` comes in; the first reason to leave it out of a list comes out, or
none. The service, its page and the command line all list by it, through ``listing``.
"""

from typing import Final, Literal, get_args

from recsys.config import BundleSettings as Settings
from recsys.languages import ENGLISH, Language
from recsys.recommender.bundles.suggestions import KnownBundle, Suggestions
from recsys.values import currency_digits, write_amount

Reason = Literal[
    "no_price",
    "not_sold",
    "sells_anyway",
    "may_not_pay",
    "earns_little",
    "same_category",
    "low_lift",
]
#: In the order in which they are looked at; the first one that holds is told.
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


def why_not(suggestions: Suggestions, bundle: KnownBundle) -> Reason | None:
    """Return why a bundle is not worth a decision; None where it is.

    What somebody decided about always is. Otherwise its suggested price pays for itself, is
    expected to add ``min_month`` a month, and the bundle is an idea: its products are bought
    together ``min_lift`` times as often as by chance, and where two of them are of one category,
    more often than nearly every bundle across categories.

    Parameters
    ----------
    suggestions : Suggestions
    bundle : KnownBundle
        One of them.
    """
    if bundle.decision is not None:
        return None
    quoted, settings = suggestions.quote(bundle), suggestions.settings
    if quoted is None or bundle.at is None:
        return "no_price"
    if not all(suggestions.active(ix) for ix in bundle.item_ix):
        return "not_sold"
    if quoted.suggested is None:
        return "sells_anyway"
    if not quoted.pays:
        return "may_not_pay"
    if quoted.suggested.middle < settings.min_month * 10 ** currency_digits(
        suggestions.currency(bundle) or ""
    ):
        return "earns_little"
    lift = float(suggestions.mined.lift_low[bundle.at])
    if suggestions.of_one_category(bundle) and lift < suggestions.far_above:
        return "same_category"
    return "low_lift" if lift < settings.min_lift else None


def said(reason: Reason, settings: Settings, currency: str, language: Language = ENGLISH) -> str:
    """Put a reason into words that follow "left out because".

    Parameters
    ----------
    reason : str
        One of ``REASONS``.
    settings : recsys.config.settings.BundleSettings
    currency : str
        Of the amounts in it; empty where it is not known.
    language : Language
    """
    say = language.gettext
    if reason == "earns_little":
        minor = settings.min_month * 10 ** currency_digits(currency)
        least = write_amount(minor, currency) if currency else f"{settings.min_month:g}"
        if currency and language is not ENGLISH:
            least = language.money(settings.min_month, currency)
        return say("expected to earn less than %(amount)s a month") % {"amount": least}
    if reason == "low_lift":
        least = language.decimal(settings.min_lift)
        text = say("may be bought together less than %(lift)s times as often as by chance")
        return text % {"lift": least}
    words: dict[Reason, str] = {
        "no_price": say("a price is not known, or is in another currency"),
        "not_sold": say("a product is no longer sold"),
        "sells_anyway": say("no discount brings in more than it costs"),
        "may_not_pay": say("the discount might not pay for itself"),
        "same_category": say("two products of one category, which many shoppers buy side by side"),
    }
    return words[reason]
