"""Computes the features that come from what the customer bought and looked at.

In: one customer's lines and candidates. Out: the families ``OWN``, ``AFFINITY`` and ``RECENT`` of
the candidates' rows. Called by ``kernels``.
"""

from typing import Any

import numpy as np

from recsys.datasets import NO_CHANNEL, compiled
from recsys.ranking.features.columns import CATEGORY_SUM, FEATURE, GROUP_SUM, OWN_SUM, STATISTIC

#: What a purchase counts with each later order of the customer.
PER_ORDER_70, PER_ORDER_90 = 0.7, 0.9
#: The customer's last orders that ``RECENT`` looks at, and what each counts beside the next one.
LAST_ORDERS, PER_STEP = 3, 0.6
#: Age at which a view or a cart counts half. Days.
EVENT_HALF_LIFE = 5.0
#: Stands for time overdue where no interval is known.
NO_INTERVAL = -10.0


@compiled
def log_days(seconds: Any) -> Any:
    """Logarithm of one plus a time in days."""
    return np.log1p(max(seconds, 0) / 86400.0)


@compiled
def fill_own(
    items: Any, customer: Any, lines: Any, columns: Any, position_of: Any, out: Any
) -> Any:
    """Fill ``OWN`` but for events: sums along the lines, then a walk over the candidates.

    Returns how many candidates the customer bought before.
    """
    channel = customer.channel
    sums = np.zeros((len(items), len(OWN_SUM)))
    for j in range(len(lines.item)):
        at = position_of[lines.item[j]] - 1
        if at < 0:
            continue
        own, ts, order, age = sums[at], lines.ts[j], lines.order[j], lines.age[j]
        count, since = float(lines.count[j]), customer.n_orders - 1 - lines.order[j]
        if own[OWN_SUM.orders] == 0:
            own[OWN_SUM.first_ts] = ts
            own[OWN_SUM.first_order] = order
        own[OWN_SUM.orders] += count
        own[OWN_SUM.last_ts] = ts
        own[OWN_SUM.last_order] = order
        own[OWN_SUM.freq_10] += count * 2.0 ** (-age / 10.0)
        own[OWN_SUM.freq_30] += count * lines.freq_30[j]
        own[OWN_SUM.freq_90] += count * 2.0 ** (-age / 90.0)
        own[OWN_SUM.freq_365] += count * lines.freq_365[j]
        own[OWN_SUM.per_order_70] += count * PER_ORDER_70**since
        own[OWN_SUM.per_order_90] += count * PER_ORDER_90**since
        if since < LAST_ORDERS:
            own[OWN_SUM.in_last_orders] += 1.0
        own[OWN_SUM.quantity] += lines.quantity[j]
        if customer.location != 0 and lines.location[j] == customer.location:
            own[OWN_SUM.here] += 1.0
        if lines.channel[j] == channel or channel == NO_CHANNEL:
            own[OWN_SUM.on_channel] += count
            own[OWN_SUM.channel_30] += count * lines.freq_30[j]
            own[OWN_SUM.channel_180] += count * 2.0 ** (-age / 180.0)
    owned = 0.0
    for i in range(len(items)):
        own, row, count = sums[i], out[i], sums[i, OWN_SUM.orders]
        row[FEATURE.own_gap] = -1.0
        row[FEATURE.own_overdue] = NO_INTERVAL
        row[FEATURE.item_overdue] = NO_INTERVAL
        if not count > 0:
            row[FEATURE.own_recency] = -1.0
            row[FEATURE.own_orders_since] = -1.0
            row[FEATURE.own_first] = -1.0
            continue
        owned += 1.0
        elapsed = log_days(customer.now - own[OWN_SUM.last_ts])
        row[FEATURE.own_orders] = np.log1p(count)
        row[FEATURE.own_recency] = elapsed
        row[FEATURE.own_orders_since] = customer.n_orders - 1 - own[OWN_SUM.last_order]
        row[FEATURE.own_first] = log_days(customer.now - own[OWN_SUM.first_ts])
        row[FEATURE.own_freq_10] = own[OWN_SUM.freq_10]
        row[FEATURE.own_freq_30] = own[OWN_SUM.freq_30]
        row[FEATURE.own_freq_90] = own[OWN_SUM.freq_90]
        row[FEATURE.own_freq_365] = own[OWN_SUM.freq_365]
        row[FEATURE.own_per_order_70] = own[OWN_SUM.per_order_70]
        row[FEATURE.own_per_order_90] = own[OWN_SUM.per_order_90]
        span = own[OWN_SUM.last_ts] - own[OWN_SUM.first_ts]
        if count > 1 and span > 0:
            gap = log_days(span / (count - 1.0))
            row[FEATURE.own_gap] = gap
            row[FEATURE.own_overdue] = elapsed - gap
        interval = columns[items[i], STATISTIC.log_interval]
        if interval >= 0:
            row[FEATURE.item_overdue] = elapsed - interval
        row[FEATURE.own_share] = count / (customer.n_orders - own[OWN_SUM.first_order])
        row[FEATURE.own_in_last_orders] = own[OWN_SUM.in_last_orders]
        row[FEATURE.own_quantity] = np.log1p(max(own[OWN_SUM.quantity] / count, 0.0))
        row[FEATURE.own_here] = own[OWN_SUM.here] / count
        row[FEATURE.own_on_channel] = own[OWN_SUM.on_channel] / count
        row[FEATURE.own_channel_30] = own[OWN_SUM.channel_30]
        row[FEATURE.own_channel_180] = own[OWN_SUM.channel_180]
    return owned


@compiled
def fill_events(customer: Any, events: Any, position_of: Any, out: Any) -> None:
    """Fill ``viewed``, ``carted`` and ``returned``, which lie in the order of the events' kinds."""
    item, ts, kind = events
    n = len(out)
    decayed = np.zeros((n, 3))
    for j in range(len(item)):
        at = position_of[item[j]] - 1
        if at >= 0:
            age = max(customer.now - ts[j], 0) / 86400.0
            decayed[at, kind[j]] += 2.0 ** (-age / EVENT_HALF_LIFE)
    for i in range(n):
        for c in range(3):
            out[i, FEATURE.viewed + c] = decayed[i, c]


@compiled
def fill_affinity(
    items: Any, customer: Any, lines: Any, statistics: Any, groups: Any, out: Any
) -> None:
    """Fill ``AFFINITY``: sums by group along the lines, then a walk over the candidates."""
    category, brand, department, family = statistics[:4]
    by_category, by_brand, by_department, by_family = groups
    channel = customer.channel
    freq_365 = 0.0
    for j in range(len(lines.item)):
        item, ts, count = lines.item[j], lines.ts[j], float(lines.count[j])
        decayed = count * lines.freq_365[j]
        freq_365 += decayed
        k = category[item]
        if k >= 0:
            by_category[k, CATEGORY_SUM.freq_30] += count * lines.freq_30[j]
            by_category[k, CATEGORY_SUM.freq_365] += decayed
            by_category[k, CATEGORY_SUM.last_ts] = ts
            by_category[k, CATEGORY_SUM.last_order] = lines.order[j]
            if lines.channel[j] == channel and channel != NO_CHANNEL:
                by_category[k, CATEGORY_SUM.on_channel] += count
            by_category[k, CATEGORY_SUM.orders] += count
        k = brand[item]
        if k >= 0:
            by_brand[k, GROUP_SUM.freq_365] += decayed
            by_brand[k, GROUP_SUM.last_ts] = ts
        k = department[item]
        if k >= 0:
            by_department[k, GROUP_SUM.freq_365] += decayed
        k = family[item]
        if k >= 0:
            by_family[k, GROUP_SUM.freq_365] += decayed
            by_family[k, GROUP_SUM.last_ts] = ts
    whole = freq_365 + 1.0
    for i in range(len(items)):
        item = items[i]
        out[i, FEATURE.category_recency] = -1.0
        out[i, FEATURE.category_orders_since] = -1.0
        out[i, FEATURE.brand_recency] = -1.0
        out[i, FEATURE.family_recency] = -1.0
        k = category[item]
        if k >= 0 and by_category[k, CATEGORY_SUM.orders] > 0:
            out[i, FEATURE.category_freq_30] = by_category[k, CATEGORY_SUM.freq_30]
            out[i, FEATURE.category_share_365] = by_category[k, CATEGORY_SUM.freq_365] / whole
            out[i, FEATURE.category_recency] = log_days(
                customer.now - by_category[k, CATEGORY_SUM.last_ts]
            )
            out[i, FEATURE.category_orders_since] = (
                customer.n_orders - 1 - by_category[k, CATEGORY_SUM.last_order]
            )
            on_channel = (
                by_category[k, CATEGORY_SUM.on_channel] / by_category[k, CATEGORY_SUM.orders]
            )
            out[i, FEATURE.category_on_channel] = on_channel
        k = brand[item]
        if k >= 0 and by_brand[k, GROUP_SUM.freq_365] > 0:
            out[i, FEATURE.brand_share_365] = by_brand[k, GROUP_SUM.freq_365] / whole
            out[i, FEATURE.brand_recency] = log_days(customer.now - by_brand[k, GROUP_SUM.last_ts])
        k = department[item]
        if k >= 0:
            out[i, FEATURE.department_share_365] = by_department[k, GROUP_SUM.freq_365] / whole
        level = statistics.columns[item, STATISTIC.price_level]
        if level >= 0:
            out[i, FEATURE.price_gap] = level - customer.price_level
        discount = statistics.columns[item, STATISTIC.discount_share]
        out[i, FEATURE.promotion_gap] = discount - customer.promotion
        k = family[item]
        if k >= 0 and by_family[k, GROUP_SUM.freq_365] > 0:
            out[i, FEATURE.family_share_365] = by_family[k, GROUP_SUM.freq_365] / whole
            out[i, FEATURE.family_recency] = log_days(
                customer.now - by_family[k, GROUP_SUM.last_ts]
            )
    for item in lines.item:  # zeros again for the next customer
        if category[item] >= 0:
            by_category[category[item], :] = 0.0
        if brand[item] >= 0:
            by_brand[brand[item], :] = 0.0
        if department[item] >= 0:
            by_department[department[item], :] = 0.0
        if family[item] >= 0:
            by_family[family[item], :] = 0.0


@compiled
def fill_recent(customer: Any, lines: Any, neighbours: Any, position_of: Any, out: Any) -> None:
    """Fill ``RECENT``: walks back through the last orders, and along each product's neighbours."""
    indptr, neighbour, score = neighbours
    n = len(out)
    last, last_few = np.zeros(n), np.zeros(n)
    for j in range(len(lines.item) - 1, -1, -1):
        since = customer.n_orders - 1 - lines.order[j]
        if since >= LAST_ORDERS:
            break
        item, weight = lines.item[j], PER_STEP**since
        for e in range(indptr[item], indptr[item + 1]):
            at = position_of[neighbour[e]] - 1
            if at >= 0:
                if since == 0:
                    last[at] += score[e]
                last_few[at] += weight * score[e]
    for i in range(n):
        out[i, FEATURE.with_last_order] = last[i]
        out[i, FEATURE.with_last_orders] = last_few[i]
