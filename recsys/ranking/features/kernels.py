"""Computes the features of candidates, customer by customer and one family of features at a time.

In: flat arrays of candidates, histories, contexts and statistics. Out: one row of numbers a
candidate. Called by ``table``; ``columns`` names the columns.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recsys.datasets import NO_CHANNEL, IntArray, IxArray, compiled
from recsys.ranking.features.columns import FEATURE, STATISTIC
from recsys.ranking.features.purchase_kernels import (
    fill_affinity,
    fill_events,
    fill_own,
    fill_recent,
    log_days,
)

Features = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


class Lines(NamedTuple):
    """One customer's purchases in time order, with ``order`` counted from 0 and ``age`` in days."""

    item: Any
    ts: Any
    order: Any
    age: Any
    freq_30: Any
    freq_365: Any
    count: Any
    quantity: Any
    amount: Any
    channel: Any
    location: Any


class Customer(NamedTuple):
    """One customer's request, and what their purchases say of them."""

    now: Any
    location: Any
    channel: Any
    cart_size: Any
    n_orders: Any
    price_level: Any
    promotion: Any


class Statistics(NamedTuple):
    """The arrays of ``ItemStatistics``, in its order."""

    category: Any
    brand: Any
    department: Any
    family: Any
    columns: Any
    on_channel: Any
    on_weekday: Any
    log_price: Any


@compiled
def fill_features(
    indptr: IntArray,
    item_ix: IxArray,
    scores: Scores,
    blend: Floats,
    purchases: Any,
    interactions: Any,
    requests: Any,
    statistics: Any,
    sums: Any,
    neighbours: Any,
    out: Features,
) -> None:
    """Fill ``out``, a customer at a time; see ``compute_features`` for what comes in.

    ``sums`` are as long as the catalogue and its groups, all zeros, and left as zeros. Compiled,
    because the work is a walk along each customer's lines, of which numpy would make dozens of
    arrays over all lines and candidates.
    """
    line_ptr, line_item, line_ts, line_order, count, quantity, amount, channel, location = purchases
    event_ptr, event_item, event_ts, event_kind = interactions
    now, at_location, on_channel, cart_ptr = requests
    of = Statistics(*statistics)
    position_of = sums[4]
    for r in range(len(indptr) - 1):
        start, end, first, last = indptr[r], indptr[r + 1], line_ptr[r], line_ptr[r + 1]
        if start == end:
            continue
        items, rows = item_ix[start:end], out[start:end]
        for i in range(len(items)):
            position_of[items[i]] = i + 1  # 0 is for products that are no candidates
        order, n_orders = _number_orders(line_order[first:last], line_ts[first:last])
        age, freq_30, freq_365 = _decay(now[r], line_ts[first:last])
        lines = Lines(
            line_item[first:last],
            line_ts[first:last],
            order,
            age,
            freq_30,
            freq_365,
            count[first:last],
            quantity[first:last],
            amount[first:last],
            channel[first:last],
            location[first:last],
        )
        price_level, promotion = _usual_prices(lines, of.columns, of.log_price)
        customer = Customer(
            now[r],
            at_location[r],
            on_channel[r],
            cart_ptr[r + 1] - cart_ptr[r],
            n_orders,
            price_level,
            promotion,
        )
        first, last = event_ptr[r], event_ptr[r + 1]
        events = event_item[first:last], event_ts[first:last], event_kind[first:last]
        n_owned = fill_own(items, customer, lines, of.columns, position_of, rows)
        fill_events(customer, events, position_of, rows)
        fill_affinity(items, customer, lines, of, sums[:4], rows)
        fill_recent(customer, lines, neighbours, position_of, rows)
        _fill_item(items, customer, of, rows)
        _fill_customer(customer, lines, n_owned, rows)
        _fill_blend(blend[start:end], scores[start:end], rows)
        for item in items:
            position_of[item] = 0


@compiled
def _number_orders(order: Any, ts: Any) -> Any:
    """Number the customer's orders from 0 along their lines; those of one order lie together."""
    number = np.empty(len(order), np.int64)
    n_orders = 0
    for j in range(len(order)):
        if j == 0 or order[j] != order[j - 1] or ts[j] != ts[j - 1]:
            n_orders += 1
        number[j] = n_orders - 1
    return number, n_orders


@compiled
def _decay(now: Any, ts: Any) -> Any:
    """Age of each line in days, and what it counts at two half-lives; several families use them."""
    age, freq_30, freq_365 = np.empty(len(ts)), np.empty(len(ts)), np.empty(len(ts))
    for j in range(len(ts)):
        age[j] = max(now - ts[j], 0) / 86400.0
        freq_30[j], freq_365[j] = 2.0 ** (-age[j] / 30.0), 2.0 ** (-age[j] / 365.0)
    return age, freq_30, freq_365


@compiled
def _usual_prices(lines: Any, columns: Any, log_price: Any) -> Any:
    """Mean price level of the customer's lines, and mean log of list price over price paid."""
    level, n_level, promotion, n_promotion = 0.0, 0, 0.0, 0
    for j in range(len(lines.item)):
        item = lines.item[j]
        if columns[item, STATISTIC.price_level] >= 0:
            level += columns[item, STATISTIC.price_level]
            n_level += 1
        if lines.amount[j] > 0 and lines.quantity[j] > 0 and log_price[item] > 0:
            paid = np.log1p(lines.amount[j] / lines.quantity[j])
            promotion += min(max(log_price[item] - paid, -0.5), 1.0)
            n_promotion += 1
    return (
        level / n_level if n_level > 0 else 0.5,
        promotion / n_promotion if n_promotion > 0 else 0.0,
    )


@compiled
def _fill_item(items: Any, customer: Any, statistics: Any, out: Any) -> None:
    """Copy ``ITEM`` and ``HERE`` from the products' statistics, a candidate at a time."""
    weekday = (customer.now // 86400) % 7
    is_known = customer.channel < statistics.on_channel.shape[1]
    for i in range(len(items)):
        item = items[i]
        for c in range(len(STATISTIC)):
            out[i, FEATURE.item_log_share_7 + c] = statistics.columns[item, c]
        if is_known:
            out[i, FEATURE.on_channel] = statistics.on_channel[item, customer.channel]
        out[i, FEATURE.on_weekday] = statistics.on_weekday[item, weekday]
        out[i, FEATURE.log_price] = statistics.log_price[item]


@compiled
def _fill_customer(customer: Any, lines: Any, n_owned: Any, out: Any) -> None:
    """Fill ``CUSTOMER``, the same for every candidate: computed for the first, then copied."""
    n_lines, n_on_channel = 0.0, 0.0
    for j in range(len(lines.item)):
        count = float(lines.count[j])
        n_lines += count
        if lines.channel[j] == customer.channel:
            n_on_channel += count
    now, n_orders = customer.now, customer.n_orders
    first_ts, last_ts = (lines.ts[0], lines.ts[-1]) if n_orders > 0 else (now, now)
    gap = log_days((last_ts - first_ts) / (n_orders - 1.0)) if n_orders > 1 else -1.0
    share = n_on_channel / max(n_lines, 1.0) if customer.channel != NO_CHANNEL else -1.0
    row = out[0]
    row[FEATURE.customer_n_orders] = np.log1p(n_orders)
    row[FEATURE.customer_last_order_days] = log_days(now - last_ts)
    row[FEATURE.customer_order_gap] = gap
    row[FEATURE.customer_order_size] = np.log1p(n_lines / n_orders) if n_orders > 0 else 0.0
    row[FEATURE.customer_tenure_days] = log_days(now - first_ts)
    row[FEATURE.customer_n_products] = np.log1p(n_owned)
    row[FEATURE.customer_repeat_lines] = n_owned / n_lines if n_lines > 0 else 0.0
    row[FEATURE.customer_price_level] = customer.price_level
    row[FEATURE.customer_promotion] = customer.promotion
    row[FEATURE.customer_cart_size] = customer.cart_size
    row[FEATURE.customer_on_channel] = share
    for i in range(1, len(out)):
        for c in range(FEATURE.customer_n_orders, FEATURE.customer_on_channel + 1):
            out[i, c] = row[c]


@compiled
def _fill_blend(blend: Any, scores: Any, out: Any) -> None:
    """Fill ``BLEND`` and each model's score, as it is and relative to its highest one."""
    n, n_columns = scores.shape
    best, highest = -1e30, np.zeros(n_columns)
    for i in range(n):
        best = max(best, blend[i])
        for c in range(n_columns):
            highest[c] = max(highest[c], scores[i, c])
    order = np.argsort(-blend, kind="mergesort")
    for place in range(n):
        out[order[place], FEATURE.blend_place] = np.log1p(place)
    for i in range(n):
        out[i, FEATURE.blend] = blend[i]
        out[i, FEATURE.blend_gap] = best - blend[i]
        for c in range(n_columns):
            relative = scores[i, c] / highest[c] if highest[c] > 0 else 0.0
            out[i, len(FEATURE) + c] = scores[i, c]
            out[i, len(FEATURE) + n_columns + c] = relative
