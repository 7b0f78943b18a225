"""Offers are told as they were promised, whatever the catalogue says by then."""

import json

import pytest

from recsys.bundles.terms import Offer, OfferItem, Redemption
from recsys.recommender.engine import Engine
from recsys.recommender.offers.documents import offer, priced
from tests.recsys.recommender.conftest import NAMELESS, price


@pytest.fixture(scope="module")
def catalogue(artefact_folder):
    return Engine.load(artefact_folder).catalogue


CODE = "7Q4M-0X2K-D9AB-WT5C"


def made(**fields):
    return Offer(
        **{
            "offer_id": "o1",
            "bundle_id": "b1",
            "owner": "c1",
            "items": (OfferItem("butter", 150), OfferItem("gone", 99)),
            "price_minor": 200,
            "currency": "EUR",
            "issued_ts": 0,
            "expires_ts": 86_400,
            "state": "standing",
            **fields,
        }
    )


def test_an_offer_is_told_without_its_owner(catalogue):
    told = offer(made(), CODE, catalogue)
    assert json.loads(json.dumps(told)) == told
    assert "c1" not in json.dumps(told)
    assert told["code"] == CODE
    assert [item["title"] for item in told["items"]] == ["Butter", None]
    assert [item["price"]["amount_minor"] for item in told["items"]] == [150, 99]
    amounts = [told[name]["amount_minor"] for name in ("price", "full_price", "discount")]
    assert amounts == [200, 249, 49]
    assert told["expires_at"] == "1970-01-02T00:00:00Z"
    assert told["qr"] == "/v1/offers/o1/qr.svg"
    assert told["redemption"] is None


def test_an_offer_needs_no_catalogue():
    used = Redemption(
        transaction_id="9", channel="pos", location_id="S1", redeemed_ts=60, discount_minor=7
    )
    told = offer(made(state="redeemed", redemption=used), CODE, None)
    assert {item["title"] for item in told["items"]} == {None}
    assert told["redemption"] == {
        "transaction_id": "9",
        "channel": "pos",
        "location_id": "S1",
        "redeemed_at": "1970-01-01T00:01:00Z",
        "discount": {"amount_minor": 7, "currency": told["price"]["currency"]},
    }


def test_products_are_priced_all_or_not_at_all(catalogue):
    names = ("butter", "sauce")
    currency = catalogue.currencies[catalogue.index.ix_of(names)[0]]
    found = priced(names, currency, catalogue)
    assert found == [OfferItem(name, price(name)) for name in names]
    assert priced((*names, "nothing"), currency, catalogue) is None
    assert priced((*names, NAMELESS), currency, catalogue) is None
    assert priced(names, "XXX", catalogue) is None
    assert priced(names, None, catalogue) is None
