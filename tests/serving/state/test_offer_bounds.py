"""Every number that comes in has bounds, and one beyond all of them is told so."""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest
from flask import Flask

from recsys.ledger.events.event_types import Event
from serving import schemas

REQUESTS: tuple[type, ...] = (
    schemas.RecommendationRequest,
    schemas.BatchRequest,
    schemas.BatchCustomer,
    schemas.PageQuery,
    schemas.ItemsUpdate,
    schemas.StockUpdate,
    schemas.LocationsUpdate,
    schemas.BundleQuery,
    schemas.BundlePatch,
    schemas.OfferRequest,
    schemas.RedemptionRequest,
    Event,
)


@pytest.mark.parametrize("kind", REQUESTS)
def test_every_number_of_a_request_has_bounds(kind: type) -> None:
    assert not list(_unbound(kind, kind.__name__, ()))


def _unbound(kind: Any, name: str, limits: tuple[Any, ...]) -> Iterator[str]:
    if typing.get_origin(kind) is Annotated:
        bare, *more = typing.get_args(kind)
        yield from _unbound(bare, name, (*limits, *more))
    elif typing.get_origin(kind) in (typing.Union, types.UnionType):
        for member in typing.get_args(kind):
            yield from _unbound(member, name, limits)
    elif typing.get_origin(kind) is not None:
        for member in typing.get_args(kind):
            yield from _unbound(member, f"{name}[]", ())
    elif kind in (int, float):
        low = any(limit.ge is not None or limit.gt is not None for limit in limits)
        high = any(limit.le is not None or limit.lt is not None for limit in limits)
        if not (low and high):
            yield name
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field, inner in typing.get_type_hints(kind, include_extras=True).items():
            yield from _unbound(inner, f"{name}.{field}", ())


@pytest.mark.parametrize("number", ["36893488147419103232", "-36893488147419103232"])
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/bundles", schemas.BundleQuery),
        ("/v1/recommendations", schemas.RecommendationRequest),
        ("/v1/items/tea/similar", schemas.PageQuery),
    ],
)
def test_a_number_that_is_none_is_a_bad_request(
    app: Flask, path: str, kind: type, number: str
) -> None:
    client = app.test_client()
    hints = typing.get_type_hints(kind)
    names = [name for name, hint in hints.items() if {int, float} & {hint, *typing.get_args(hint)}]
    assert names
    for name in names:
        answer = client.get(path, query_string={"placement": "web_home", name: number})
        assert answer.status_code == 400, name
