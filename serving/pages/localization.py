"""Gives a page its language: the texts of its template and of its scripts, and its direction.

A page calls ``show`` with its template. That template extends ``page.html``, or takes the
language switch and the texts of its scripts from ``localized.html``; in it, ``_("…")`` and
``{% trans %}`` are texts in the page's language, and ``language`` is that language. A script takes
``t`` and ``tn`` from ``static/messages.js``. The language is that of ``?lang=``, which a cookie
keeps, else the first that the browser prefers of those that are offered, else the workspace's.
"""

from collections.abc import Iterable
from typing import Any, Final

import orjson
from flask import Blueprint, Flask, Response, abort, current_app, g, render_template, request
from markupsafe import Markup

from recsys.languages import TAGS, Language, fit_language, language_of, script_messages
from recsys.units import DAY
from serving.access import session
from serving.http import PROBLEM_KINDS, reply
from serving.schemas import documented
from serving.state import State

blueprint = Blueprint("localization", __name__)

COOKIE: Final = "omnibasket_lang"
_COOKIE_SECONDS: Final = 365 * DAY
_HTML: Final = "text/html; charset=utf-8"
#: Pages of other origins load the texts of ``omnibasket.js``; a new release reaches them soon.
_FRESH_SECONDS: Final = 3_600
#: Scripts whose texts are loaded, not inlined, by what their names begin with.
_SCRIPTED: Final = ("associate", "customers", "dashboard", "omnibasket", "screen", "shop", "till")


def register(app: Flask) -> None:
    """Let the templates of an application speak the language of the page."""
    env = app.jinja_env
    env.policies["ext.i18n.trimmed"] = True
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: page_language().gettext(text),
        lambda one, many, n: page_language().ngettext(one, many, n),
        newstyle=True,
    )
    for tag in TAGS:  # so that no answer waits until a catalogue is read
        language_of(tag).gettext("Language")


def page_language() -> Language:
    """Return the language of the page that is asked for."""
    if "language" not in g:
        g.language = _find()
    found: Language = g.language
    return found


def _find() -> Language:
    for tag in (request.args.get("lang"), request.cookies.get(COOKIE)):
        fitting = fit_language(tag) if tag else None
        if fitting is not None:
            return fitting
    preferred = request.accept_languages.best_match(TAGS)
    state: State = current_app.extensions["omnibasket"]
    return language_of(preferred or state.config.workspace.language)


def show(
    template: str,
    *,
    scripts: tuple[str, ...] = (),
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    pictures: Iterable[str] = (),
    **values: Any,
) -> Response:
    """Answer with a page in its language.

    Parameters
    ----------
    template : str
    scripts : tuple of str
        What the names of the page's scripts begin with, if they have texts, as ``dashboard``.
    status : int
    headers : tuple of (str, str)
        In addition to those of every page.
    pictures : iterable of str
        Web addresses of its pictures that come from elsewhere.
    values
        What the template is given besides.
    """
    language = page_language()
    content = render_template(
        template,
        language=language,
        languages=[language_of(tag) for tag in TAGS],
        messages=_inlined(language, scripts) if scripts else None,
        **values,
    )
    told = [
        *headers,
        ("Content-Language", language.tag),
        ("Vary", "Accept-Language, Cookie"),
    ]
    response = reply(content.encode(), status, _HTML, told, form=True, pictures=pictures)
    if fit_language(request.args.get("lang", "")) is language:
        response.set_cookie(
            COOKIE,
            language.tag,
            max_age=_COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=session.is_secure(),
        )
    return response


def _inlined(language: Language, scripts: tuple[str, ...]) -> Markup:
    """Return the texts of a page's scripts as JSON that nothing in it can end."""
    found = dict(script_messages(language.tag, *scripts))
    if language.tag != "en":
        kinds = PROBLEM_KINDS.items()
        found["problems"] = {name: language.gettext(kind.title) for name, kind in kinds}
    return Markup(orjson.dumps(found).decode().replace("<", "\\u003c"))  # noqa: S704


@blueprint.get("/static/messages/<name>")
@documented(
    "The texts of a page's scripts in one language",
    tag="pages",
    answers={200: "application/json", 304: "application/json"},
    problems=("not-found",),
)
def messages(name: str) -> Response:
    """Serve the texts that `omnibasket.js` shows, for the language of an answer.

    The name is that of the scripts and of the language, as `omnibasket.de.json`. Pages of any
    origin may load them.
    """
    page, _, rest = name.partition(".")
    lang = rest.removesuffix(".json")
    if page not in _SCRIPTED or lang not in TAGS or name != f"{page}.{lang}.json":
        abort(404)
    response = reply(orjson.dumps(script_messages(lang, page)), cache_seconds=_FRESH_SECONDS)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.add_etag()
    response.make_conditional(request)
    return response
