"""``/qr/…``: the code of an offer behind a signed link, for mails and pages of other sites."""

from typing import Final

from flask import Blueprint, Response, current_app

from serving.http import PROBLEM_KINDS, Refusal, etag_of, is_held, reply
from serving.schemas import documented
from serving.state import State, qr_links

blueprint = Blueprint("links", __name__)

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
#: How long a picture may be shown after its offer was withdrawn. It ends with the offer at most.
_CACHE_SECONDS: Final = 3_600
_OVER: Final = {
    "redeemed": "offer-redeemed",
    "expired": "offer-expired",
    "withdrawn": "offer-withdrawn",
}
_PROBLEMS: Final = ("not-found", *_OVER.values(), "ledger-unavailable")


@blueprint.get("/qr/<token>/offer.svg")
@documented(
    "The code of an offer behind a signed link",
    tag="channels",
    answers={200: SVG, 304: SVG},
    problems=_PROBLEMS,
)
def svg(token: str) -> Response:
    """Draw the code of an offer that stands; `qr_public` of the offer has the link.

    No key is needed, and pages of any site may show it, until the offer ends.
    """
    return _drawn(token, "svg", SVG)


@blueprint.get("/qr/<token>/offer.png")
@documented(
    "The code of an offer behind a signed link, for mails",
    tag="channels",
    answers={200: PNG, 304: PNG},
    problems=_PROBLEMS,
)
def png(token: str) -> Response:
    """Draw the same as PNG, which every mail program shows."""
    return _drawn(token, "png", PNG)


def _drawn(token: str, kind: qr_links.Kind, content_type: str) -> Response:
    state: State = current_app.extensions["omnibasket"]
    offer_id, now_ts = state.links.offer_id(token), state.now_ts()
    offer = None if offer_id is None else state.ledger.offers.find(offer_id, now_ts)
    if offer is None:
        raise Refusal("not-found", PROBLEM_KINDS["not-found"].advice)
    if offer.state in _OVER:
        raise Refusal(_OVER[offer.state], PROBLEM_KINDS[_OVER[offer.state]].advice)
    code = state.links.codes.of(offer)
    tag = etag_of(code, kind)
    held = is_held(tag)
    answer = reply(
        b"" if held else qr_links.draw(code, kind),
        304 if held else 200,
        content_type,
        cache_seconds=max(1, min(_CACHE_SECONDS, offer.expires_ts - now_ts)),
        etag=tag,
    )
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
