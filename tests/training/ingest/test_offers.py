"""Returns in exports restore the offers of their orders."""

from recsys.bundles.terms import Offer, OfferItem, Terms
from recsys.ledger.ledger import Ledger
from recsys.ledger.offers.codes import Codes

from .conftest import AT, Workspace

NOW = int(AT.timestamp())
SETTINGS = """
[workspace]
currency = "EUR"
[sources.tills]
kind = "till_tickets"
path = "tills"
system = "pos"
[sources.shop]
kind = "order_lines"
path = "shop"
channel = "web"
[sources.shop.identifiers]
email = "email"
"""
TICKETS = "order_id,occurred_at,location_id,item_id,quantity,unit_price,return_of\n"
ORDERS = "order_id,occurred_at,item_id,quantity,unit_price,email\n"
CODES = Codes("k" * 40)
ITEMS = [OfferItem("tea", 300), OfferItem("milk", 200)]


def offers(workspace: Workspace, *orders: tuple[str, str, str | None]) -> list[Offer]:
    """Make an offer for each order (number, channel, location), and redeem it."""
    ledger = Ledger.open(workspace.config.ledger_url)
    if not ledger.decisions.mark():
        terms = Terms(status="approved", price_minor=400, currency="EUR")
        ledger.decisions.change(
            "b", "together", ["tea", "milk"], terms, expected_revision=0, by="ada", now_ts=NOW
        )
    made = []
    for number, channel, location_id in orders:
        owner = f"{number} {channel} {location_id}"
        offer = ledger.offers.issue("b", owner, ITEMS, name=CODES.new(), now_ts=NOW)
        assert isinstance(offer, Offer)
        ledger.offers.redeem(
            CODES.of(offer),
            transaction_id=number,
            channel=channel,
            location_id=location_id,
            owners=None,
            items=None,
            now_ts=NOW,
        )
        made.append(offer)
    ledger.close()
    return made


def states(workspace: Workspace, made: list[Offer]) -> list[str | None]:
    ledger = Ledger.open(workspace.config.ledger_url)
    found = [ledger.offers.find(offer.offer_id) for offer in made]
    ledger.close()
    return [offer and offer.state for offer in found]


def test_returns_in_exports_give_offers_back(workspace: Workspace) -> None:
    sold = [
        f"{number},2026-02-0{day},{store},{item},1,3,\n"
        for day, (number, store) in enumerate(
            [("17", "S1"), ("18", "S1"), ("19", ""), ("20", "S1")], 1
        )
        for item in ("tea", "milk", "jam")
    ]
    shop = "".join(
        f"{n},2026-02-05,{item},1,3,{n}@shop.de\n" for n in "78" for item in ("tea", "milk")
    )
    workspace.write(
        omnibasket_toml=SETTINGS, tills__1_csv=TICKETS + "".join(sold), shop__1_csv=ORDERS + shop
    )
    assert workspace.ingest()["offers_given_back"] == 0
    made = offers(
        workspace,
        ("17", "pos", "S1"),
        ("18", "pos", "S1"),
        ("19", "pos", "S9"),  # the ticket has no store
        ("17", "pos", "S2"),  # another store's
        ("17", "web", None),
        ("7", "web", None),
        ("8", "app", None),
    )
    assert workspace.ingest()["offers_given_back"] == 0
    back = [
        "90,2026-02-20,S3,tea,-1,3,17\n90,2026-02-20,S3,milk,-1,2,17\n",  # all, in another store
        "91,2026-02-20,S1,tea,-1,3,18\n91,2026-02-20,S1,jam,-1,2,18\n",  # partly
        "92,2026-02-20,,tea,-1,3,19\n93,2026-02-21,,milk,-1,2,19\n",  # in parts
        "94,2026-02-22,S1,tea,-1,3,20\n94,2026-02-22,S1,milk,-1,2,20\n",  # not reported
    ]
    refunded = "88,2026-02-25,tea,-1,3,8@shop.de\n88,2026-02-25,milk,-1,2,8@shop.de\n"
    workspace.write(tills__2_csv=TICKETS + "".join(back), shop__2_csv=ORDERS + refunded)
    done = workspace.ingest()
    assert (done["changed"], done["offers_given_back"]) == (True, 3)
    expected = ["standing", "redeemed", "standing", *["redeemed"] * 3, "standing"]
    assert states(workspace, made) == expected
    assert workspace.ingest()["offers_given_back"] == 0
    assert states(workspace, made) == expected
    # An order reported late, whose return is already in the history.
    late = offers(workspace, ("20", "associate", "S1"))
    assert states(workspace, late) == ["redeemed"]
    done = workspace.ingest()
    assert (done["changed"], done["offers_given_back"]) == (False, 1)
    assert states(workspace, late) == ["standing"]
