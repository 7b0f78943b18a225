"""Finds lines of orders that are not products: postage, bags, deposits, tips.

In: the rows of an order export and its mapping. Out: ids that are clearly fees, and ids that may
be. The ingest handles vouchers and other deductions. Called by ``mapping``.
"""

from collections import Counter, defaultdict
from statistics import median

from training.init.evidence import Evidence
from training.init.headers import fold
from training.init.proposal import Proposal, shown, value_of
from training.init.vocabulary import (
    BAG_WORDS,
    DEPOSIT_WORDS,
    FEE_WORDS,
    MAYBE_FEE_WORDS,
    VOUCHER_WORDS,
)

#: Minimum number of digits in the id of a real product.
_DIGITS = 2
_MOST = 12
_DEFAULTS = {
    "shopify_orders": ("Lineitem sku", "Lineitem name", "Lineitem quantity", "", "Lineitem price"),
    "woocommerce_orders": ("item_sku", "item_name", "item_quantity", "item_total", ""),
}


def find_fees(evidence: Evidence, proposal: Proposal) -> None:
    """Collect the ids of lines that are not products, and note them."""
    defaults = _DEFAULTS.get(proposal.kind, ("", "", "", "", ""))
    fields = ("item_id", "title", "quantity", "amount", "unit_price")
    specs = [proposal.columns.get(f, d) for f, d in zip(fields, defaults, strict=True)]
    if not specs[0]:
        return
    titles: dict[str, set[str]] = defaultdict(set)
    back: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    money = _money(evidence, proposal, defaults[3] or defaults[4])
    prices: dict[str, float] = {}
    for ix, row in enumerate(evidence.export.rows):
        item, title, quantity, amount, price = (
            value_of(row, spec) if spec else "" for spec in specs
        )
        if not item or set(item) & set("*?"):  # these are wildcards in the rules
            continue
        seen[item] += 1
        titles[item].add(title)
        if money[ix] == money[ix]:
            prices[item] = max(prices.get(item, 0.0), abs(money[ix]))
        if _negative(quantity) or _negative(amount) or _negative(price):
            back[item] += 1
    usual = median(list(prices.values()) or [0.0])
    for item, n in seen.most_common():
        names = titles[item] - {""}
        words = {fold(name) for name in names}
        if _is_voucher(item, names):
            if not back[item]:
                proposal.maybe_fees.append(item)
            continue
        exact = fold(item) in FEE_WORDS or bool(words and words <= FEE_WORDS)
        bag = fold(item) in BAG_WORDS or bool(words & BAG_WORDS)
        deposit = fold(item) in DEPOSIT_WORDS or bool(words & DEPOSIT_WORDS)
        if (
            exact
            and back[item] * (1 if deposit else 2) < n
            and not (bag and prices.get(item, 0.0) > usual)
        ):
            proposal.fees.append(item)
        elif exact or (_odd(item) and any(_maybe(name) for name in names)):
            proposal.maybe_fees.append(item)
    proposal.fees = sorted(proposal.fees)[:_MOST]
    proposal.maybe_fees = sorted(proposal.maybe_fees[:_MOST])
    if proposal.fees:
        listed = ", ".join(f"`{shown(item)}`" for item in proposal.fees)
        proposal.check(f"{listed} is not counted as a product (postage, a bag, a deposit, a tip)")


def _money(evidence: Evidence, proposal: Proposal, default: str) -> list[float]:
    for spec in (proposal.columns.get("unit_price"), proposal.columns.get("amount"), default):
        if isinstance(spec, str) and spec in evidence.export.columns:
            return evidence.numbers(spec).values
    return [0.0] * evidence.n_rows


def _negative(text: str) -> bool:
    return text.strip().startswith(("-", "−", "(-", "(")) or text.strip().endswith("-")


def _is_voucher(item: str, names: set[str]) -> bool:
    texts = [item.lower(), *(name.lower() for name in names)]
    return any(word in text for text in texts for word in VOUCHER_WORDS)


def _odd(item: str) -> bool:
    # "CARRIAGE" is a fee and "CARRIAGE CLOCK" is not; fees have ids such as POST and C2.
    return sum(letter.isdigit() for letter in item) < _DIGITS


def _maybe(name: str) -> bool:
    return any(word in name.lower() for word in MAYBE_FEE_WORDS)
