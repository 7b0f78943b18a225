"""``/v1/items/…``: what to show on a product's page, for everybody alike."""

from typing import Final

import msgspec
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.config import PlacementSettings, rules_of
from recsys.recommender import PageKind, PageQuestion
from serving.access import admission
from serving.http import PROBLEM_KINDS, Refusal, etag_of, is_held, reply, responses
from serving.requests import context, find_language, read_filter, read_query, request_warnings
from serving.schemas import Page, PageQuery, documented
from serving.state import State

blueprint = Blueprint("items", __name__)

_LISTS: Final[dict[str, str | None]] = {"exclude": None, "attributes": None}
_PROBLEMS: Final = (
    "bad-request",
    "invalid-request",
    "item-unknown",
    "channel-forbidden",
    "location-forbidden",
    "no-model",
)
#: How long an answer may be shown without asking whether it has changed.
CACHE_SECONDS: Final = 60
#: Products of a list where neither the request nor a placement says how many.
_COUNT: Final = 10


@blueprint.get("/v1/items/<item:item_id>/bought-together")
@documented(
    "What is bought together with a product",
    tag="channels",
    scope="recommend",
    query=PageQuery,
    lists=_LISTS,
    answers={200: Page, 304: responses.JSON},
    problems=_PROBLEMS,
)
def bought_together(item_id: str) -> Response:
    """List what is often bought together with a product, with the evidence.

    Where nothing is, `fallback` names what is listed instead. `exclude` and `attributes` may be
    repeated; `filter` is a JSON document. Carries an `ETag`.
    """
    return _answer("bought_together", item_id)


@blueprint.get("/v1/items/<item:item_id>/similar")
@documented(
    "What is like a product",
    tag="channels",
    scope="recommend",
    query=PageQuery,
    lists=_LISTS,
    answers={200: Page, 304: responses.JSON},
    problems=_PROBLEMS,
)
def similar(item_id: str) -> Response:
    """List products like one by category, brand and title, those without sales included.

    Where nothing is known, `fallback` names what is listed instead. `exclude` and `attributes` may
    be repeated; `filter` is a JSON document. Carries an `ETag`.
    """
    return _answer("similar", item_id)


def _answer(how: PageKind, item_id: str) -> Response:
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, PageQuery, lists=_LISTS)
    admission.refuse_screens()
    location_id = admission.check_location(asked.location_id)
    engine = state.loaded()
    settings = context.page_placement(state, asked.placement, asked.age_restricted)
    count = asked.count or (_COUNT if settings is None else settings.count)
    language = find_language(state, asked.lang, settings)
    now_ts = state.now_ts() + 1
    given = read_filter(asked.filter, engine.catalogue.attributes.columns)
    of_placement = _tag_of(settings, now_ts)
    revision = engine.revision
    tag = etag_of(
        how, item_id, revision, location_id, language.lang, request.query_string, of_placement
    )
    if is_held(tag):
        return reply(b"", 304, cache_seconds=CACHE_SECONDS, private=True, etag=tag)
    question = PageQuestion(
        how=how,
        item_id=item_id,
        as_of_ts=now_ts,
        count=count,
        lang=language.lang,
        location_id=location_id,
        exclude=tuple(asked.exclude),
        filter=given,
        attributes=tuple(asked.attributes),
        age_restricted=asked.age_restricted,
        settings=settings,
    )
    answer = engine.related(question)
    if answer is None:
        raise Refusal("item-unknown", PROBLEM_KINDS["item-unknown"].advice)
    warnings = [*language.warnings, *request_warnings.of_filter(engine, given)]
    request_warnings.add(answer, warnings)
    return reply(orjson.dumps(answer), cache_seconds=CACHE_SECONDS, private=True, etag=tag)


def _tag_of(settings: PlacementSettings | None, now_ts: int) -> list[str]:
    """Return what an answer depends on besides: the placement, and which rules hold by now."""
    if settings is None:
        return []
    held = [rule.name for rule in rules_of(settings) if rule.window.holds(now_ts)]
    return [msgspec.json.encode(settings).decode(), *held]
