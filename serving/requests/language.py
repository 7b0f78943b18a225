"""Finds the language that an answer is given in: of the request, the placement, or the workspace.

Called by the routes whose answers say something in words.
"""

from typing import NamedTuple

from recsys.config import PlacementSettings
from recsys.languages import TAGS, fit_language
from serving.http import FieldError
from serving.state import State


class Found(NamedTuple):
    """The language of an answer."""

    lang: str
    """Its tag, one of those that are offered."""
    warnings: tuple[FieldError, ...] = ()
    """Says so where it is not the one that was asked for."""


def find_language(
    state: State, asked: str | None, settings: PlacementSettings | None = None
) -> Found:
    """Find the language of an answer.

    Parameters
    ----------
    state : State
    asked : str, optional
        The request's ``lang``, a BCP 47 tag.
    settings : PlacementSettings, optional
        Of the placement, if the answer is of one.
    """
    usual = settings.lang if settings is not None else None
    lang = usual or state.config.workspace.language
    if asked is None:
        return Found(lang)
    fitting = fit_language(asked)
    if fitting is not None:
        return Found(fitting.tag)
    detail = f"`{asked}` is not offered; this answer is in `{lang}`. Offered: {', '.join(TAGS)}."
    return Found(lang, (FieldError("/lang", detail),))
