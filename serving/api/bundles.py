"""``/v1/bundles``: what sells together, for marketers: to look through, and to decide about."""

import base64
import binascii
import hashlib
from typing import Any, Final

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.bundles import Counts
from recsys.languages import Language, language_of
from recsys.recommender import Engine, unknown_names
from recsys.recommender.bundles import ListRequest, Suggestions, matching_bundles, spreadsheet
from recsys.recommender.bundles import documents as words
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal, etag_of, is_held, reply, responses
from serving.requests import decide_terms, find_language, read_body, read_query, request_warnings
from serving.schemas import (
    BundleInFull,
    BundlePatch,
    BundleQuery,
    Bundles,
    LanguageQuery,
    documented,
)
from serving.state import State

blueprint = Blueprint("bundles", __name__)

CSV: Final = "text/csv"
_VARY: Final = (("Vary", "Accept"),)
_LISTS: Final[dict[str, str | None]] = {"attributes": None}
_MONEY: Final = {"amount_minor": 449, "currency": "EUR"}


@blueprint.get("/v1/bundles")
@documented(
    "What sells together",
    tag="marketers",
    scope="marketing",
    query=BundleQuery,
    lists=_LISTS,
    answers={200: Bundles, 304: responses.JSON},
    also=(CSV,),
    problems=(
        "bad-request",
        "invalid-request",
        "item-unknown",
        "channel-forbidden",
        "not-acceptable",
        "no-model",
        "ledger-unavailable",
    ),
)
def get() -> Response:
    """List bundles that are worth a decision, what they would earn first, a page at a time.

    Each has its evidence, its price and what was decided. `left_out` says how many others fit, and
    why they are left out; `show=all` lists them too.

    JSON, or a table with `Accept: text/csv` or `format=csv`; then the header `X-Next-Cursor` leads
    to the next page, and `X-Left-Out` says how many are left out. `attributes` may be repeated.
    Carries an `ETag`.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    params = read_query(request.args, BundleQuery, lists=_LISTS)
    media = params.format or _accepted()
    engine = state.loaded()
    list_request = _list_request(engine, params)
    suggestions = state.decision_cache.suggestions(engine)
    chosen, left_out = matching_bundles(suggestions, list_request)
    key = hashlib.blake2b(
        orjson.dumps([engine.version, msgspec.to_builtins(list_request)])
    ).hexdigest()
    start = _start_of(params.cursor, key[:16])
    end = start + params.limit
    cursor = _cursor(end, key[:16]) if end < len(chosen) else None
    language = find_language(state, params.lang)
    said = language_of(language.lang)
    rows = _rows(state, suggestions, chosen[start:end], params.attributes, said)
    if media == "csv":
        headers = [*_VARY, ("Content-Disposition", 'attachment; filename="bundles.csv"')]
        headers.append(("X-Left-Out", str(sum(left_out.values()))))
        if cursor is not None:
            headers.append(("X-Next-Cursor", cursor))
        table = spreadsheet.short if params.columns == "short" else spreadsheet.spreadsheet
        return _answer(table(rows), f"{CSV}; charset=utf-8", headers)
    page = {
        "model_version": engine.version,
        "bundles": rows,
        "total": len(chosen),
        "lang": language.lang,
        "left_out": words.left_out_counts(
            suggestions, left_out, state.config.workspace.currency, said
        ),
        "next_cursor": cursor,
    }
    request_warnings.add(page, [*language.warnings])
    return _answer(orjson.dumps(page), responses.JSON, [*_VARY])


@blueprint.get("/v1/bundles/<bundle_id>")
@documented(
    "One bundle, with all that is known of it",
    tag="marketers",
    scope="marketing",
    query=LanguageQuery,
    answers={200: BundleInFull},
    problems=(
        "bad-request",
        "invalid-request",
        "bundle-unknown",
        "channel-forbidden",
        "no-model",
        "ledger-unavailable",
    ),
)
def one(bundle_id: str) -> Response:
    """Show a bundle with everything there is to draw and to decide by.

    Its evidence by month, channel and location, what each price would earn, who changed what, and
    what became of its offers. The `ETag` is its revision; send it as `If-Match` to change it.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    asked = read_query(request.args, LanguageQuery)
    suggestions = state.decision_cache.suggestions(state.loaded())
    if not suggestions.known(bundle_id):
        raise Refusal("bundle-unknown", PROBLEM_KINDS["bundle-unknown"].advice)
    return _in_full(state, suggestions, bundle_id, asked.lang)


@blueprint.patch("/v1/bundles/<bundle_id>")
@documented(
    "Decide about a bundle",
    tag="marketers",
    scope="marketing",
    query=LanguageQuery,
    body=BundlePatch,
    headers={"If-Match": "The bundle's `ETag` as it was read: its revision, in quotes."},
    example={"status": "approved", "price": _MONEY, "budget": {**_MONEY, "amount_minor": 50000}},
    answers={200: BundleInFull},
    problems=(
        "malformed-body",
        "body-too-large",
        "not-json",
        "bad-request",
        "invalid-request",
        "bundle-unknown",
        "precondition-missing",
        "bundle-stale",
        "status-impossible",
        "price-missing",
        "bundle-inactive",
        "price-below-floor",
        "price-not-lower",
        "dates-reversed",
        "budget-empty",
        "channel-without-offers",
        "channel-forbidden",
        "location-forbidden",
        "no-model",
        "ledger-unavailable",
    ),
)
def patch(bundle_id: str) -> Response:
    """Approve, reject, pause or withdraw a bundle, or change its terms.

    What is not sent stays as it is; null clears. Running services follow within a second;
    withdrawing voids every offer that stands, everywhere, before this answers. A refused request
    changes nothing. Each change is kept, with who made it.
    """
    state: State = current_app.extensions["omnibasket"]
    admission.refuse_screens()
    asked = read_query(request.args, LanguageQuery)
    params = read_body(request, BundlePatch)
    engine = state.loaded()
    suggestions = state.decision_cache.suggestions(engine)
    if not suggestions.known(bundle_id):
        raise Refusal("bundle-unknown", PROBLEM_KINDS["bundle-unknown"].advice)
    if "If-Match" not in request.headers:
        raise Refusal("precondition-missing", PROBLEM_KINDS["precondition-missing"].advice)
    decide_terms(state, suggestions, bundle_id, params, request.if_match)
    return _in_full(state, state.decision_cache.suggestions(engine), bundle_id, asked.lang)


def _rows(
    state: State,
    suggestions: Suggestions,
    names: list[str],
    attributes: list[str],
    language: Language,
) -> list[dict[str, Any]]:
    counts = state.ledger.offers.counts(names, now_ts=state.now_ts()) if names else {}
    return [
        words.row(suggestions, name, counts.get(name, Counts()), attributes, language)
        for name in names
    ]


def _in_full(state: State, suggestions: Suggestions, bundle_id: str, lang: str | None) -> Response:
    language = find_language(state, lang)
    decisions, offers = state.ledger.decisions, state.ledger.offers
    now_ts = state.now_ts()
    counts = offers.counts([bundle_id], now_ts=now_ts).get(bundle_id, Counts())
    changes, by_day = decisions.changes(bundle_id), offers.by_day(bundle_id)
    said = language_of(language.lang)
    found = words.full(suggestions, bundle_id, counts, changes, by_day, now_ts, said)
    request_warnings.add(found, [*language.warnings])
    # The tag is for If-Match; offers come and go without a new revision, so nothing is kept.
    return reply(orjson.dumps(found), headers=[("ETag", f'"{found["revision"]}"')])


def _answer(body: bytes, content_type: str, headers: list[tuple[str, str]]) -> Response:
    """Send a list, unless the caller holds the same one."""
    tag = etag_of(body)
    if is_held(tag):
        return reply(b"", 304, content_type, headers, etag=tag)
    return reply(body, 200, content_type, headers, etag=tag)


def _accepted() -> str:
    """Choose the form by the Accept header; JSON where it does not matter."""
    best = request.accept_mimetypes.best_match([responses.JSON, CSV])
    if best is None and request.accept_mimetypes:
        raise Refusal("not-acceptable", PROBLEM_KINDS["not-acceptable"].advice)
    return "csv" if best == CSV else "json"


def _list_request(engine: Engine, params: BundleQuery) -> ListRequest:
    """Check a query against the catalogue.

    Raises
    ------
    Refusal
        When it names a product, a location, a category or a segment that is unknown, or several
        segments.
    """
    if params.item_id is not None and engine.index.ix_of([params.item_id])[0] < 0:
        detail = "is not in the model's catalogue."
        error = FieldError("/item_id", detail)
        raise Refusal("item-unknown", PROBLEM_KINDS["item-unknown"].advice, [error])
    if params.location_id is not None and not engine.has_location(params.location_id):
        error = FieldError("/location_id", "is not in the catalogue.")
        raise Refusal("invalid-request", "There is no such location.", [error])
    segments = {
        name: value if name == "segment" else f"{name}:{value}"
        for name in ("channel", "season", "segment")
        if (value := getattr(params, name)) is not None
    }
    if len(segments) > 1:
        errors = [FieldError(f"/{name}", "is one of several segments.") for name in segments]
        raise Refusal("invalid-request", "Ask for one segment at a time.", errors)
    fields = {
        name: getattr(params, name) for name in ListRequest.__struct_fields__ if name != "segment"
    }
    list_request = ListRequest(**fields, segment=next(iter(segments.values()), None))
    of_segment = next(iter(segments), "segment")
    errors = [
        FieldError(f"/{of_segment if field == 'segment' else field}", text)
        for field, text in unknown_names(engine, list_request)
    ]
    if errors:
        raise Refusal("invalid-request", "Nothing is called so.", errors)
    return list_request


def _cursor(at: int, key: str) -> str:
    """Name a place in a list; it belongs to the model and the query that ``key`` stands for."""
    return base64.urlsafe_b64encode(orjson.dumps([at, key])).decode().rstrip("=")


def _start_of(cursor: str | None, key: str) -> int:
    """Where the page begins that a cursor leads to."""
    if cursor is None:
        return 0
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, of = orjson.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, TypeError):
        at, of = None, None
    if not isinstance(at, int) or at < 0 or of != key:
        detail = "does not belong to this query and model; begin at the first page, without it."
        raise Refusal("invalid-request", "The page is gone.", [FieldError("/cursor", detail)])
    return at
