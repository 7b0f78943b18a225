"""``/v1/bundles``: pairs of products that sell together, for marketers, as JSON or a table."""

import base64
import binascii
import csv
import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
from flask import Blueprint, Response, current_app, request

from recsys.bundles.found import TOGETHER
from recsys.responses.engine import Engine
from serving.openapi import documented
from serving.problems import KINDS, FieldError, Refusal
from serving.reading import read_query
from serving.replies import JSON, etag_of, is_held, reply
from serving.state import State
from serving.wire import BundleQuery, Bundles

blueprint = Blueprint("bundles", __name__)

CSV: Final = "text/csv"
_VARY: Final = (("Vary", "Accept"),)
#: How long a page may be shown without asking whether it has changed.
_CACHE_SECONDS: Final = 60
_COLUMNS: Final = (
    "item_a", "title_a", "price_a_minor", "item_b", "title_b", "price_b_minor", "currency",
    "support", "support_share", "confidence_a_to_b", "confidence_b_to_a", "lift",
)  # fmt: skip
#: A cell that begins so would be run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Rows = npt.NDArray[np.intp]


@blueprint.get("/v1/bundles")
@documented(
    "What sells together",
    tag="marketers",
    scope="marketing",
    query=BundleQuery,
    answers={200: Bundles, 304: JSON},
    also=(CSV,),
    problems=("invalid-request", "not-acceptable", "no-model"),
)
def get() -> Response:
    """List pairs of products with their evidence, a page at a time.

    JSON, or a table with `Accept: text/csv` or `format=csv`; then the header `X-Next-Cursor`
    leads to the next page.
    """
    state: State = current_app.extensions["omnibasket"]
    asked = read_query(request.args, BundleQuery)
    form = asked.format or _accepted()
    engine = state.loaded()
    tag = etag_of(engine.revision, form, request.query_string)
    if is_held(tag):
        return reply(b"", 304, JSON, _VARY, cache_seconds=_CACHE_SECONDS, private=True, etag=tag)
    chosen = _chosen(engine, asked)
    begin = _begin(engine, asked)
    end = begin + asked.limit
    cursor = _cursor(engine, asked, end) if end < len(chosen) else None
    rows = [_bundle(engine, at) for at in chosen[begin:end].tolist()]
    if form == "csv":
        headers = [*_VARY, ("Content-Disposition", 'attachment; filename="bundles.csv"')]
        if cursor is not None:
            headers.append(("X-Next-Cursor", cursor))
        return reply(
            _table(rows), 200, f"{CSV}; charset=utf-8", headers,
            cache_seconds=_CACHE_SECONDS, private=True, etag=tag,
        )  # fmt: skip
    page = {
        "model_version": engine.version,
        "bundles": rows,
        "total": len(chosen),
        "next_cursor": cursor,
    }
    return reply(
        orjson.dumps(page), 200, JSON, _VARY, cache_seconds=_CACHE_SECONDS, private=True, etag=tag
    )


def _accepted() -> str:
    """Choose the form by the Accept header; JSON where it does not matter."""
    best = request.accept_mimetypes.best_match([JSON, CSV])
    if best is None and request.accept_mimetypes:
        raise Refusal("not-acceptable", KINDS["not-acceptable"].advice)
    return "csv" if best == CSV else "json"


def _chosen(engine: Engine, asked: BundleQuery) -> Rows:
    """Pairs that fit the query, best first."""
    found = engine.bundles
    pairs = (found.kind == TOGETHER) & (np.diff(found.indptr) == 2)
    keep = pairs & (found.lift >= asked.min_lift) & (found.support >= asked.min_support)
    if asked.item_id is not None:
        (item_ix,) = engine.index.ix_of([asked.item_id])
        named = np.flatnonzero(found.item_ix == item_ix)
        with_it = np.zeros(len(found), bool)
        with_it[np.searchsorted(found.indptr, named, side="right") - 1] = True
        keep &= with_it
    rows = np.flatnonzero(keep)
    if asked.sort == "evidence":
        return rows  # they are in that order
    if asked.sort == "confidence":
        first = found.indptr[rows]
        key = np.maximum(found.confidence[first], found.confidence[first + 1])
    else:
        key = (found.lift if asked.sort == "lift" else found.support)[rows]
    order: Rows = np.argsort(-key.astype(np.float64), kind="stable")
    return rows[order]


def _query_key(engine: Engine, asked: BundleQuery) -> list[Any]:
    """What a cursor belongs to: the model and the query, but for how much of it is wanted."""
    return [engine.version, asked.item_id, asked.min_lift, asked.min_support, asked.sort]


def _cursor(engine: Engine, asked: BundleQuery, at: int) -> str:
    content = orjson.dumps([at, *_query_key(engine, asked)])
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _begin(engine: Engine, asked: BundleQuery) -> int:
    """Where the page begins that the cursor leads to."""
    if asked.cursor is None:
        return 0
    try:
        padded = asked.cursor + "=" * (-len(asked.cursor) % 4)
        at, *key = orjson.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, TypeError):
        at, key = None, []
    if not isinstance(at, int) or at < 0 or key != _query_key(engine, asked):
        detail = "does not belong to this query and model; begin at the first page, without it."
        raise Refusal("invalid-request", "The page is gone.", [FieldError("/cursor", detail)])
    return at


def _bundle(engine: Engine, at: int) -> dict[str, Any]:
    found = engine.bundles
    first, support = int(found.indptr[at]), int(found.support[at])
    return {
        "items": [engine.item(int(item_ix)) for item_ix in found.members(at)],
        "support": support,
        "support_share": round(support / engine.n_baskets, 6),
        "confidence": {
            "a_to_b": round(float(found.confidence[first + 1]), 4),
            "b_to_a": round(float(found.confidence[first]), 4),
        },
        "lift": round(float(found.lift[at]), 3),
    }


def _table(bundles: list[dict[str, Any]]) -> bytes:
    """Lay bundles out for a spreadsheet."""
    text = io.StringIO()
    write = csv.writer(text).writerow
    write(_COLUMNS)
    for bundle in bundles:
        cells: list[object] = []
        prices = [item.get("price") or {} for item in bundle["items"]]
        for item, price in zip(bundle["items"], prices, strict=True):
            cells += [_cell(item["item_id"]), _cell(item.get("title")), price.get("amount_minor")]
        cells.append(next((price["currency"] for price in prices if price), None))
        confidence = bundle["confidence"]
        cells += [bundle["support"], bundle["support_share"]]
        cells += [confidence["a_to_b"], confidence["b_to_a"], bundle["lift"]]
        write(cells)
    return text.getvalue().encode("utf-8-sig")  # the mark tells spreadsheets that it is UTF-8


def _cell(value: str | None) -> str | None:
    return f"'{value}" if value is not None and value.startswith(_FORMULA) else value
