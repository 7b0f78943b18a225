"""Routes that need a key, with what keys that are limited get of each."""

from typing import Any, Final, NamedTuple


class Route(NamedTuple):
    """A call, and what keys with its scope get of it that are limited; empty: it is done."""

    scope: str
    path: str
    body: Any = None
    other_channel: str = ""
    other_location: str = ""
    screen: str = ""
    page: str = ""
    own: str = ""  # without any limit


_EVENT: Final = {
    "event": "view_item",
    "occurred_at": "2026-03-01T17:00:00Z",
    "channel": "web",
    "location_id": "S1",
    "items": [{"item_id": "tea"}],
}
_ORDER: Final = {"transaction_id": "T9", "channel": "web", "location_id": "S1"}
_TAKE_OVER: Final = {"session_id": "tablet", "channel": "web"}
_KIOSK: Final = "not-a-kiosk"
_CHANNEL, _LOCATION, _PAGE = "channel-forbidden", "location-forbidden", "browser-key"
_OFFER_OTHERS: Final = {"screen": _CHANNEL, "page": _PAGE}
_RESTRICTED: Final = {"other_channel": _CHANNEL, "other_location": _LOCATION, **_OFFER_OTHERS}
#: Method and rule → what it is. A limited key is for the channel `email`, or for location `S2`.
UNDER_V1: Final[dict[tuple[str, str], Route]] = {
    ("POST", "/v1/recommendations"): Route(
        "recommend",
        "/v1/recommendations",
        {"placement": "web_home", "location_id": "S1"},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/recommendations"): Route(
        "recommend",
        "/v1/recommendations?placement=web_home&location_id=S1",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("POST", "/v1/recommendations/batch"): Route(
        "recommend",
        "/v1/recommendations/batch",
        {"placement": "web_home", "location_id": "S1", "customers": [{"session_id": "v"}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("GET", "/v1/items"): Route(
        "recommend",
        "/v1/items?q=pasta&location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>"): Route(
        "recommend",
        "/v1/items/pasta?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>/bought-together"): Route(
        "recommend",
        "/v1/items/pasta/bought-together?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/items/<item:item_id>/similar"): Route(
        "recommend",
        "/v1/items/pasta/similar?location_id=S1",
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("POST", "/v1/events"): Route(
        "events",
        "/v1/events",
        {"events": [_EVENT]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
    ),
    ("GET", "/v1/decisions/<recommendation_id>"): Route(
        "customers",
        "/v1/decisions/{recommendation_id}",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("GET", "/v1/customers/<customer_id>/consents"): Route(
        "customers", "/v1/customers/{customer_id}/consents", **_OFFER_OTHERS
    ),
    ("PUT", "/v1/customers/<customer_id>/consents"): Route(
        "customers",
        "/v1/customers/{customer_id}/consents",
        {"consents": [{"purpose": "marketing", "given": True}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("GET", "/v1/customers"): Route(
        "customers",
        "/v1/customers?identifier_type=email&identifier_value=c0@shop.example.org",
        **_RESTRICTED,
    ),
    ("GET", "/v1/customers/<customer_id>"): Route(
        "customers", "/v1/customers/{customer_id}", **_RESTRICTED
    ),
    ("PUT", "/v1/customers/<customer_id>/dismissals"): Route(
        "customers",
        "/v1/customers/{customer_id}/dismissals",
        {"item_id": "tea", "stands": False},
        **_RESTRICTED,
    ),
    ("GET", "/v1/customers/<customer_id>/links"): Route(
        "customers", "/v1/customers/{customer_id}/links", **_RESTRICTED
    ),
    ("DELETE", "/v1/identities/links/<link_id>"): Route(
        "customers", "/v1/identities/links/l0000000000000000", {}, **_RESTRICTED
    ),
    ("PUT", "/v1/identities/links/<link_id>"): Route(
        "customers", "/v1/identities/links/l0000000000000000", {}, **_RESTRICTED
    ),
    ("GET", "/v1/looks"): Route("privacy", "/v1/looks", **_RESTRICTED),
    ("GET", "/v1/screens/<location_id>/playlist"): Route(
        "recommend",
        "/v1/screens/S1/playlist",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        page=_PAGE,
    ),
    ("POST", "/v1/screens/<location_id>/guests"): Route(
        "recommend",
        "/v1/screens/S1/guests",
        {"card": "card0"},
        other_channel=_KIOSK,
        other_location=_LOCATION,
        screen=_KIOSK,
        page=_PAGE,
        own=_KIOSK,
    ),
    ("GET", "/v1/screens"): Route("marketing", "/v1/screens", screen=_CHANNEL, page=_PAGE),
    ("POST", "/v1/screens"): Route(
        "marketing",
        "/v1/screens",
        {"code": "AAAAAA", "name": "x"},
        other_channel=_CHANNEL,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("DELETE", "/v1/screens/<screen_id>"): Route(
        "marketing",
        "/v1/screens/unknown",
        other_channel=_CHANNEL,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("POST", "/v1/associate/scans"): Route(
        "associate",
        "/v1/associate/scans",
        {"text": "c0@shop.example.org", "location_id": "S1"},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("POST", "/v1/handovers"): Route(
        "recommend", "/v1/handovers", {"session_id": "visit"}, screen=_CHANNEL
    ),
    ("POST", "/v1/handovers/<code>"): Route(
        "recommend", "/v1/handovers/x", _TAKE_OVER, _CHANNEL, screen=_CHANNEL, page=_PAGE
    ),
    ("DELETE", "/v1/customers/<customer_id>"): Route(
        "customers",
        "/v1/customers/{erasable_id}",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    # What sells together is the whole business's to read; deciding is limited.
    ("GET", "/v1/bundles"): Route("marketing", "/v1/bundles", screen=_CHANNEL, page=_PAGE),
    ("GET", "/v1/bundles/<bundle_id>"): Route(
        "marketing", "/v1/bundles/{bundle_id}", screen=_CHANNEL, page=_PAGE
    ),
    ("PATCH", "/v1/bundles/<bundle_id>"): Route(
        "marketing",
        "/v1/bundles/{bundle_id}",
        {"note": "x"},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    # Who is limited is shown what can be used there; whoever holds a code may read it.
    ("GET", "/v1/customers/<customer_id>/offers"): Route(
        "offers", "/v1/customers/{customer_id}/offers", **_OFFER_OTHERS
    ),
    ("POST", "/v1/customers/<customer_id>/offers"): Route(
        "offers",
        "/v1/customers/{customer_id}/offers",
        {"bundle_id": "{bundle_id}"},
        other_channel=_CHANNEL,
        other_location=_CHANNEL,
        **_OFFER_OTHERS,
    ),
    ("GET", "/v1/offers"): Route(
        "offers",
        "/v1/offers?identifier_type=email&identifier_value=c0@shop.example.org",
        **_OFFER_OTHERS,
    ),
    ("GET", "/v1/offers/<offer_id>"): Route("offers", "/v1/offers/{offer_id}", **_OFFER_OTHERS),
    ("GET", "/v1/offers/<offer_id>/qr.svg"): Route(
        "offers", "/v1/offers/{offer_id}/qr.svg", **_OFFER_OTHERS
    ),
    ("POST", "/v1/offers/<offer_id>/redemptions"): Route(
        "offers",
        "/v1/offers/{code}/redemptions",
        _ORDER,
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("DELETE", "/v1/offers/<offer_id>/redemptions/<transaction_id>"): Route(
        "offers",
        "/v1/offers/{code}/redemptions/t1?channel=web&location_id=S1",
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    ("POST", "/v1/redemptions"): Route(
        "offers",
        "/v1/redemptions",
        {**_ORDER, "codes": ["{code}"], "dry_run": True},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        **_OFFER_OTHERS,
    ),
    # A product is the same everywhere, so nobody who is limited changes it.
    ("PUT", "/v1/items"): Route(
        "catalogue",
        "/v1/items",
        {"items": [{"item_id": "tea", "active": False}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("PUT", "/v1/stock"): Route(
        "catalogue",
        "/v1/stock",
        {"stock": [{"location_id": "S1", "item_id": "tea", "on_hand": 1}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
    ("PUT", "/v1/locations"): Route(
        "catalogue",
        "/v1/locations",
        {"locations": [{"location_id": "S1", "region": "x"}]},
        other_channel=_CHANNEL,
        other_location=_LOCATION,
        screen=_CHANNEL,
        page=_PAGE,
    ),
}
#: Method and scope of what is the same on every channel, so that no limited key changes it.
EVERYWHERE: Final = {("PUT", "catalogue"), ("PUT", "customers"), ("DELETE", "customers")}
#: What tells of all channels and locations, or is of the screens' channel, so that a key that is
#: limited to the web does not reach it.
OF_ALL: Final = {
    "/v1/customers",
    "/v1/customers/<customer_id>",
    "/v1/customers/<customer_id>/links",
    "/v1/looks",
    "/v1/associate/scans",
    "/v1/screens",
    "/v1/screens/<location_id>/playlist",
    "/v1/screens/<screen_id>",
}
