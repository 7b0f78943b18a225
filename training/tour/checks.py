"""Judges what the service answered, and what the ingest found where the truth is known.

A ``Conversation``, the workspace and its history come in; a list of checks goes out, each with a
sentence about what was seen. Called by the tour; ``omnibasket tour --check`` fails if any is wrong.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from recsys.config import Config
from recsys.evaluation import IdentityQuality, measure_identity, read_truth
from recsys.history import History
from recsys.identity import KeyedHash
from recsys.ingest import staged
from recsys.schema import RETURN
from training.demo.check import figures, read_counts
from training.tour.answer_checks import of_age, of_headings, of_new
from training.tour.check import Check
from training.tour.conversation import Conversation, Turn
from training.tour.customer import TRUTH, Customer

#: Precision and recall of linked identifiers, at least.
LINKED = 0.99
#: Customers of a demo in which bundles must be found.
_MANY = 1_000
#: Reasons that reveal something of a customer's history.
_PERSONAL = {"repeat", "similar_taste", "bought_together"}
_PROBLEM = "application/problem+json"


def of_answers(
    conversation: Conversation, customer: Customer, config: Config, history: History
) -> list[Check]:
    """Judge the service's answers."""
    # In a history of few customers no bundle may be certain; in the demo's some are.
    many = (config.folder / TRUTH).exists() and history.summary["customers"] >= _MANY
    return [
        *_answered(conversation, config),
        *_known(conversation, customer),
        *_stock(conversation.screen, history),
        *_prices(conversation),
        *_cart(conversation),
        *of_new(conversation, customer, config, history),
        *of_age(conversation, config, history),
        *of_headings(conversation),
        *_screen(conversation),
        *_purchase(conversation),
        *_bundles(conversation, many=many),
        *_sale(conversation, many=many),
        *_documents(conversation),
    ]


def of_history(config: Config, history: History, quality: IdentityQuality | None) -> list[Check]:
    """Compare what the ingest found with the demo's truth; nothing where there is none."""
    if quality is None:
        return []
    checks = [
        Check(f"history: {figure.what}", figure.right, f"{figure.found}, of {figure.expected}")
        for figure in figures(read_counts(config.folder), _exported(history))
    ]
    return [
        *checks,
        Check(
            "identity: what is linked is right",
            quality.precision >= LINKED,
            f"{quality.precision:.4f}",
        ),
        Check(
            "identity: what belongs together is linked",
            quality.recall >= LINKED,
            f"{quality.recall:.4f}",
        ),
    ]


def identity(config: Config, history: History) -> IdentityQuality | None:
    """Measure the linked identifiers against the demo's truth; None where there is none."""
    if not (config.folder / TRUTH).exists():
        return None
    truth = read_truth(config.folder / TRUTH, KeyedHash.load(config))
    return measure_identity(truth, history.table("identifiers"))


def _exported(history: History) -> dict[str, Any]:
    """Subtract what was reported to the service, perhaps on an earlier tour, from the summary."""
    lines, events = history.table("lines"), history.table("events")
    seen = lines.filter(pc.equal(lines["source"], staged.LIVE)).to_pylist()
    summary = dict(history.summary)
    summary["events"] -= pc.sum(pc.equal(events["source"], staged.LIVE)).as_py() or 0
    summary["channels"] = [
        {
            **channel,
            "orders": channel["orders"] - len({line["order_id"] for line in own}),
            "lines": channel["lines"] - len(own),
            "returns": channel["returns"] - sum(line["kind"] == RETURN for line in own),
            "amount_minor": channel["amount_minor"] - sum(line["amount_minor"] for line in own),
        }
        for channel in summary["channels"]
        for own in [[line for line in seen if line["channel"] == channel["channel"]]]
    ]
    return summary


def _answered(conversation: Conversation, config: Config) -> Iterator[Check]:
    for turn in (*conversation.turns, conversation.screen_for_customer):
        name = turn.request["placement"]
        placement = config.placement(name)
        expected = placement.count if placement is not None else 0
        ids = [item["item_id"] for item in turn.items]
        ranks = [item["rank"] for item in turn.items]
        yield Check(f"{turn.title}: answered", turn.reply.status == 200, f"{turn.reply.status}")
        yield Check(
            f"{turn.title}: as many items as asked for",
            len(ids) == expected,
            f"{len(ids)} of {expected}",
        )
        yield Check(
            f"{turn.title}: no item twice, ranks in order",
            len(set(ids)) == len(ids) and ranks == list(range(1, len(ids) + 1)),
            f"{len(set(ids))} items",
        )


def _known(conversation: Conversation, customer: Customer) -> Iterator[Check]:
    for turn in (
        conversation.email,
        conversation.home,
        conversation.product,
        conversation.cart,
        conversation.after,
    ):
        known = _body(turn).get("customer_known")
        yield Check(f"{turn.title}: the customer is known", known is True, f"{known}")
    reasons = {item["reason"]["code"] for item in conversation.home.items if item.get("reason")}
    yield Check(
        "the home page is personal",
        bool(reasons & _PERSONAL) or customer.lines == 0,
        ", ".join(sorted(reasons)),
    )
    fallback = _body(conversation.stranger).get("fallback")
    yield Check("a stranger gets a fallback that says so", bool(fallback), f"{fallback}")


def _stock(turn: Turn, history: History) -> Iterator[Check]:
    location = turn.request.get("location_id")
    if location is None:
        return
    stock = history.table("stock")
    here = stock.filter(pc.equal(stock["location_id"], location))
    on_hand = dict(zip(here["item_id"].to_pylist(), here["on_hand"].to_pylist(), strict=True))
    if not on_hand:
        return
    missing = [i["item_id"] for i in turn.items if not (on_hand.get(i["item_id"]) or 0) > 0]
    yield Check(
        f"{turn.title}: everything is on the shelf",
        not missing,
        f"not there: {', '.join(missing)}" if missing else f"{len(on_hand)} items are stocked",
    )


def _prices(conversation: Conversation) -> Iterator[Check]:
    prices: dict[str, set[tuple[int, str]]] = {}
    for turn in (*conversation.turns, conversation.screen_for_customer):
        for item in turn.items:
            if price := item.get("price"):
                seen = (price["amount_minor"], price["currency"])
                prices.setdefault(item["item_id"], set()).add(seen)
    several = [item_id for item_id, seen in prices.items() if len(seen) > 1]
    yield Check("one product has one price in every channel", not several, f"{len(prices)} priced")


def _cart(conversation: Conversation) -> Iterator[Check]:
    carried = {line["item_id"] for line in conversation.cart.request["cart"]}
    if not carried:
        return
    for turn in (conversation.cart, conversation.stranger_cart):
        shown = {item["item_id"] for item in turn.items}
        both = ", ".join(sorted(carried & shown))
        yield Check(f"{turn.title}: not what is in it", not both, both or f"{len(shown)} others")
    because = {
        item_id
        for item in conversation.stranger_cart.items
        for item_id in (item.get("reason") or {}).get("because_of", [])
    }
    yield Check(
        f"{conversation.stranger_cart.title}: what goes with it",
        bool(carried & because),
        f"because of {', '.join(sorted(because)) or 'nothing'}",
    )


def _screen(conversation: Conversation) -> Iterator[Check]:
    def shown(turn: Turn) -> list[Any]:
        return [(item["item_id"], item.get("reason")) for item in turn.items]

    seen = {
        (item.get("reason") or {}).get("code") for item in conversation.screen_for_customer.items
    }
    yield Check(
        "the store's screen shows everybody the same",
        shown(conversation.screen) == shown(conversation.screen_for_customer),
        f"{len(conversation.screen.items)} items",
    )
    yield Check(
        "the store's screen says nothing of a person's history",
        not seen & _PERSONAL and not _body(conversation.screen_for_customer).get("customer_known"),
        ", ".join(sorted(filter(None, seen))),
    )


def _purchase(conversation: Conversation) -> Iterator[Check]:
    for what, reply, expected in (
        ("the purchase is accepted", conversation.purchase, "accepted"),
        ("the purchase told again counts once", conversation.repeated, "duplicate"),
    ):
        outcomes = (reply.body or {}).get("events") or [{}]
        status = outcomes[0].get("status")
        yield Check(what, status == expected, f"{status or reply.text[:200]}")
    bought = (conversation.bought or {}).get("item_id")
    ids = [item["item_id"] for item in conversation.after.items]
    yield Check(
        "what was just bought is not shown again",
        bought is not None and bought not in ids,
        f"{bought}",
    )
    before, after = (
        _body(turn).get("left_out", {}).get("just_bought", 0)
        for turn in (conversation.home, conversation.after)
    )
    # Not always one more: what was just bought may have fallen behind what would be shown.
    counted = f"just bought: {before}, then {after}"
    yield Check("the answer says why", after >= max(before, 1), counted)


def _bundles(conversation: Conversation, *, many: bool) -> Iterator[Check]:
    pairs = (conversation.bundles.body or {}).get("bundles") or []
    good = [pair for pair in pairs if pair["support"] >= 1 and pair["lift"] > 0]
    yield Check(
        "bundles have their evidence",
        conversation.bundles.status == 200
        and len(good) == len(pairs)
        and (bool(pairs) or not many),
        f"{len(pairs)} pairs",
    )
    rows = conversation.bundles_csv.text.strip().splitlines()[1:]
    yield Check(
        "bundles come as CSV too",
        conversation.bundles_csv.status == 200 and len(rows) == len(pairs),
        f"{len(rows)} rows",
    )


def _sale(conversation: Conversation, *, many: bool) -> Iterator[Check]:
    sale = conversation.sale
    if not (conversation.for_sale or many):
        return
    yield Check(
        "a bundle is found, approved and offered in the cart",
        sale is not None,
        "no bundle was offered" if sale is None else f"{sale.offer['bundle_id']}",
    )
    if sale is None:
        return
    yield Check(
        "an approval from what is out of date is refused",
        sale.stale.status == 412,
        f"{sale.stale.status}",
    )
    offers = (sale.everywhere.body or {}).get("offers") or []
    codes = [offer["code"] for offer in offers]
    yield Check(
        "the store knows the offer that the cart was shown",
        sale.offer["code"] in codes,
        f"{len(codes)} offers stand",
    )
    state = (sale.redeemed.body or {}).get("state")
    yield Check(
        "the offer is redeemed in the store",
        sale.redeemed.status == 201 and state == "redeemed",
        f"{sale.redeemed.status} {state}",
    )
    yield Check(
        "the till that asks again gets the same answer",
        sale.repeated.status == 200 and sale.repeated.body == sale.redeemed.body,
        f"{sale.repeated.status}",
    )
    kind = str((sale.refused.body or {}).get("type"))
    yield Check(
        "the web shop is refused the same offer",
        sale.refused.status == 409 and kind.endswith("#offer-redeemed"),
        f"{sale.refused.status} {kind}",
    )
    counted = (sale.counted.body or {}).get("offers") or {}
    yield Check(
        "the bundle counts what was redeemed",
        counted.get("redeemed", 0) >= 1,
        f"issued {counted.get('issued')}, redeemed {counted.get('redeemed')}",
    )


def _documents(conversation: Conversation) -> Iterator[Check]:
    kind = conversation.wrong.headers.get("content-type", "")
    errors = (conversation.wrong.body or {}).get("errors") or []
    pointers = {error.get("pointer") for error in errors}
    yield Check(
        "a wrong request is answered with its problem",
        conversation.wrong.status == 422 and kind.startswith(_PROBLEM) and "/cuont" in pointers,
        f"{conversation.wrong.status} {kind} {', '.join(map(str, pointers))}",
    )
    version = str((conversation.openapi.body or {}).get("openapi"))
    yield Check("the API describes itself", version.startswith("3.1"), f"OpenAPI {version}")
    page = conversation.docs.status == 200 and "<html" in conversation.docs.text.lower()
    yield Check("the API's page can be read", page, f"{conversation.docs.status}")


def _body(turn: Turn) -> dict[str, Any]:
    return turn.reply.body or {}
