"""What orders kept is what counting by hand leaves, whoever brought something back."""

from collections import Counter

import numpy as np

from recsys.datasets.baskets import TrainingSet
from recsys.units import DAY

#: Quantities in thousandths, so that they add up exactly.
QUANTITIES = (1000, 2000, 300, -1000, -300, -2000)


def by_hand(lines):
    """Order and product of what was kept.

    The order kept some of it, and its buyer did: what came back of an order beyond what it held
    is taken from the other orders of whoever brought it.
    """
    buyer, in_order, brought = {}, Counter(), {}
    for line in lines:
        order = line.get("return_of") or line["order_id"]
        in_order[order, line["item_id"]] += line["quantity"]
        who = line["customer_id"]
        if who is not None:
            brought.setdefault((order, line["item_id"]), who)
            if line["quantity"] > 0:
                buyer[order] = who
    left = Counter()
    for (order, item), quantity in in_order.items():
        who = buyer.get(order) if quantity > 0 else brought.get((order, item))
        left[who, item] += quantity
    return {
        (order, item)
        for (order, item), quantity in in_order.items()
        if quantity > 0 and (order not in buyer or left[buyer[order], item] > 0)
    }


def test_what_others_brought_back_is_taken_off(write_history):
    random = np.random.default_rng(11)
    orders = [f"t:{number}" for number in range(240)]
    owner = {order: random.choice([*"abcdefgh", None], p=[0.11] * 8 + [0.12]) for order in orders}
    lines = []
    for number in range(900):
        order, quantity = str(random.choice(orders)), int(random.choice(QUANTITIES))
        line = {
            "order_id": order,
            "item_id": str(random.choice(["x", "y", "z"])),
            "customer_id": owner[order],
            "ts": int(order.removeprefix("t:")),
            "quantity": quantity,
            "line_no": number,
        }
        if quantity < 0:  # most bring back what is theirs, some what others bought
            names_it, another = random.random() < 0.7, random.random() < 0.2
            line |= {"order_id": f"r:{number}", "ts": DAY, "return_of": order if names_it else None}
            brings = random.choice(list("abcdefgh")) if another else owner[order]
            line["customer_id"] = brings
        lines.append(line)
    # More came back than was sold: it is the buyer who brought it, or else one other customer.
    net, sold, first = Counter(), set(), {}
    for line in lines:
        key = line.get("return_of") or line["order_id"], line["item_id"]
        net[key] += line["quantity"]
        sold |= {key} if line["quantity"] > 0 else set()
    for line in lines:
        key = line.get("return_of"), line["item_id"]
        if net[key] < 0:
            who = owner[key[0]] if key in sold else line["customer_id"]
            line["customer_id"] = first.setdefault(key, who)
    given = [line | {"quantity": line["quantity"] / 1000} for line in lines]
    training = TrainingSet.read(write_history(given), 2 * DAY)
    bought = sorted(
        {line["order_id"] for line in lines if line["quantity"] > 0},
        key=lambda order: int(order.removeprefix("t:")),
    )
    rows, columns = training.baskets.items.nonzero()
    kept = {
        (bought[row], training.index.item_ids[column])
        for row, column in zip(rows, columns, strict=True)
    }
    assert kept == by_hand(lines)
    assert len(kept) > 50
