"""``/v1/items``: find products by words or a bar code, and look at one in full.

The same for everybody: no customer is part of the question, and nothing counts as shown.
"""

from typing import Any, Final

import orjson
from flask import Blueprint, Response, current_app, request

from recsys.recommender import SearchQuestion, found_products, product_details
from serving.access import admission
from serving.http import PROBLEM_KINDS, Refusal, etag_of, is_held, reply, responses
from serving.requests import context, read_filter, read_query, request_warnings
from serving.schemas import FoundItems, Product, ProductQuery, SearchQuery, documented
from serving.state import State

blueprint = Blueprint("products", __name__)

_LISTS: Final[dict[str, str | None]] = {"attributes": None}
_PROBLEMS: Final = (
    "bad-request",
    "invalid-request",
    "channel-forbidden",
    "location-forbidden",
    "no-model",
)
#: How long an answer may be shown without asking whether it has changed.
CACHE_SECONDS: Final = 60


@blueprint.get("/v1/items")
@documented(
    "Find products",
    tag="channels",
    scope="recommend",
    query=SearchQuery,
    lists=_LISTS,
    answers={200: FoundItems, 304: responses.JSON},
    problems=_PROBLEMS,
)
def search() -> Response:
    """Find products by words of their title, brand and category, or by their id or GTIN.

    Every word must fit. The best match comes first, and among equals what sells best. What is no
    longer sold is not found. `attributes` may be repeated; `filter` is a JSON document. Carries an
    `ETag`.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, SearchQuery, lists=_LISTS)
    admission.refuse_screens()
    location_id = admission.check_location(asked.location_id)
    engine = state.loaded()
    settings = context.page_placement(state, asked.placement, asked.age_restricted)
    given = read_filter(asked.filter, engine.catalogue.attributes.columns)
    question = SearchQuestion(
        text=asked.q,
        as_of_ts=state.now_ts() + 1,
        count=asked.count,
        location_id=location_id,
        in_stock=asked.in_stock,
        filter=given,
        attributes=tuple(asked.attributes),
        age_restricted=asked.age_restricted,
        settings=settings,
        among=admission.own_locations(),
    )
    answer = found_products(engine, question)
    request_warnings.add(answer, request_warnings.of_filter(engine, given))
    return _reply(answer)


@blueprint.get("/v1/items/<item:item_id>")
@documented(
    "One product",
    tag="channels",
    scope="recommend",
    query=ProductQuery,
    lists=_LISTS,
    answers={200: Product, 304: responses.JSON},
    problems=("item-unknown", *_PROBLEMS),
)
def one(item_id: str) -> Response:
    """Show a product: what it is and costs, and where it can be had.

    What is no longer sold is shown with `active: false`. `attributes` may be repeated. Carries an
    `ETag`.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, ProductQuery, lists=_LISTS)
    admission.refuse_screens()
    location_id = admission.check_location(asked.location_id)
    engine = state.loaded()
    (item_ix,) = engine.index.ix_of([item_id]).tolist()
    if item_ix < 0:
        raise Refusal("item-unknown", PROBLEM_KINDS["item-unknown"].advice)
    answer = product_details(
        engine,
        item_ix,
        state.now_ts() + 1,
        location_id=location_id,
        attributes=tuple(asked.attributes),
        n_stores=asked.stores,
        among=admission.own_locations(),
    )
    return _reply(answer)


def _reply(answer: dict[str, Any]) -> Response:
    body = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    tag = etag_of(body)
    held = is_held(tag)
    return reply(
        b"" if held else body,
        304 if held else 200,
        cache_seconds=CACHE_SECONDS,
        private=True,
        etag=tag,
    )
