"""What the figures of a bundle assume, in words: what stands behind them and is not in the data.

One bundle of ``Suggestions`` comes in; sentences come out. Called by ``documents``.
"""

from collections.abc import Sequence

from recsys.languages import Language
from recsys.recommender.bundles.suggestions import KnownBundle, Suggestions


def assumptions(suggestions: Suggestions, bundle: KnownBundle, language: Language) -> list[str]:
    """Say what stands behind the figures and is not in the data.

    Parameters
    ----------
    suggestions : Suggestions
    bundle : KnownBundle
        One of them.
    language : Language

    Returns
    -------
    list of str
        Clauses that follow "it assumes that".
    """
    settings, say = suggestions.settings, language.gettext
    least, most = (0.9**-power - 1 for power in sorted(settings.response))
    text = say("a product that costs a tenth less is bought %(least)s to %(most)s more often")
    said = [text % {"least": language.percent(least), "most": language.percent(most)}]
    if not suggestions.cost_known(bundle):
        said.append(say("a product whose cost is not known earns what its category usually earns"))
    if settings.sample_share < 1:
        text = say(
            "the history holds %(share)s of the business, and the figures are scaled to all of it"
        )
        said.append(text % {"share": language.percent(settings.sample_share, 2)})
    return said


def estimate(assumed: Sequence[str], language: Language) -> str:
    """Say that figures are an estimate, and what it assumes.

    Parameters
    ----------
    assumed : sequence of str
        As ``assumptions`` gives them, one at least.
    language : Language
    """
    say = language.gettext
    text = say(
        "An estimate, not a measurement: it assumes that %(assumed)s. Only an experiment with "
        "customers who get no offer can say what it adds."
    )
    # Translators: stands between two of the assumptions.
    return text % {"assumed": say("; that ").join(assumed)}
