"""Fills the features of candidates, customer by customer.

Flat arrays of candidates, histories, contexts and statistics come in; one row of numbers a
candidate is filled. Called by ``features``, which names the columns in the same order.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets import NO_CHANNEL, IntArray, IxArray, compiled

Features = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: What a purchase counts an order later.
SOON, LATER = 0.7, 0.9
#: Of the customer's last orders so many say what goes with them, the latest loudest.
LAST_ORDERS, PER_STEP = 3, 0.6
#: Age at which a view or a cart counts half. Days.
LOOK_DAYS = 5.0


@compiled
def _days(since: Any) -> Any:
    return np.log1p(max(since, 0) / 86400.0)


@compiled
def fill_features(
    indptr: IntArray,
    item_ix: IxArray,
    scores: Scores,
    total: Floats,
    bought: Any,
    done: Any,
    asked: Any,
    statistics: Any,
    room: Any,
    baskets: Any,
    out: Features,
) -> None:
    """Fill ``out``; see ``features.compute`` for what comes in."""
    b_ptr, b_item, b_ts, b_order, b_count, b_quantity, b_amount, b_channel, b_location = bought
    d_ptr, d_item, d_ts, d_kind = done
    as_of_ts, location, channel, cart_ptr = asked
    category, brand, department, family, columns, on_channel, on_weekday, log_price = statistics
    # By category: decayed purchases at two half-lives, last time, last order, on the channel, all.
    # And the place of each product among the customer's candidates, from 1.
    by_category, by_brand, by_department, by_family, place_of = room
    n_columns, n_stats = scores.shape[1], columns.shape[1]
    OWN_AT, AFF_AT = 0, 23
    RECENT_AT = AFF_AT + 12
    ITEM_AT = RECENT_AT + 2
    HERE_AT = ITEM_AT + n_stats
    CUSTOMER_AT = HERE_AT + 3
    BLEND_AT = CUSTOMER_AT + 11
    SCORE_AT = BLEND_AT + 3
    RELATIVE_AT = SCORE_AT + n_columns
    for r in range(len(indptr) - 1):
        c0, c1 = indptr[r], indptr[r + 1]
        if c0 == c1:
            continue
        b0, b1 = b_ptr[r], b_ptr[r + 1]
        now, here, on = as_of_ts[r], location[r], channel[r]
        n = c1 - c0
        for i in range(c0, c1):
            place_of[item_ix[i]] = i - c0 + 1
        # What the customer did, line by line, in time order.
        number = np.empty(b1 - b0, np.int64)
        n_orders = 0
        for j in range(b0, b1):
            if j == b0 or b_order[j] != b_order[j - 1] or b_ts[j] != b_ts[j - 1]:
                n_orders += 1
            number[j - b0] = n_orders - 1
        own = np.zeros((n, 17))  # orders, last ts, last order, first ts, freqs (4), per order (2),
        #                          in the last orders, quantity, here, on channel, first order,
        #                          decayed on the channel (2)
        lines, level, n_level, promotion, n_promotion = 0.0, 0.0, 0, 0.0, 0
        all_365, there = 0.0, 0.0
        for j in range(b0, b1):
            what, ts = b_item[j], b_ts[j]
            times = float(b_count[j])
            age = max(now - ts, 0) / 86400.0
            since = n_orders - 1 - number[j - b0]
            d30, d365 = 2.0 ** (-age / 30.0), 2.0 ** (-age / 365.0)
            all_365 += times * d365
            lines += times
            if b_channel[j] == on:
                there += times
            if columns[what, 9] >= 0:
                level += columns[what, 9]
                n_level += 1
            if b_amount[j] > 0 and b_quantity[j] > 0 and log_price[what] > 0:
                paid = np.log1p(b_amount[j] / b_quantity[j])
                promotion += min(max(log_price[what] - paid, -0.5), 1.0)
                n_promotion += 1
            k = category[what]
            if k >= 0:
                by_category[k, 0] += times * d30
                by_category[k, 1] += times * d365
                by_category[k, 2] = ts
                by_category[k, 3] = number[j - b0]
                by_category[k, 4] += times if b_channel[j] == on and on != NO_CHANNEL else 0.0
                by_category[k, 5] += times
            k = brand[what]
            if k >= 0:
                by_brand[k, 0] += times * d365
                by_brand[k, 1] = ts
            k = department[what]
            if k >= 0:
                by_department[k] += times * d365
            k = family[what]
            if k >= 0:
                by_family[k, 0] += times * d365
                by_family[k, 1] = ts
            at = place_of[what] - 1
            if at < 0:
                continue
            mine = own[at]
            if mine[0] == 0:
                mine[3] = ts
                mine[14] = number[j - b0]
            mine[0] += times
            mine[1] = ts
            mine[2] = number[j - b0]
            mine[4] += times * 2.0 ** (-age / 10.0)
            mine[5] += times * d30
            mine[6] += times * 2.0 ** (-age / 90.0)
            mine[7] += times * d365
            mine[8] += times * SOON**since
            mine[9] += times * LATER**since
            if since < LAST_ORDERS:
                mine[10] += 1.0
            mine[11] += b_quantity[j]
            if here != 0 and b_location[j] == here:
                mine[12] += 1.0
            if b_channel[j] == on or on == NO_CHANNEL:
                mine[13] += times
                mine[15] += times * d30
                mine[16] += times * 2.0 ** (-age / 180.0)
        # What goes with the last orders.
        recent = np.zeros((n, 2))
        for j in range(b1 - 1, b0 - 1, -1):
            since = n_orders - 1 - number[j - b0]
            if since >= LAST_ORDERS:
                break
            what = b_item[j]
            loud = PER_STEP**since
            for e in range(baskets[0][what], baskets[0][what + 1]):
                at = place_of[baskets[1][e]] - 1
                if at >= 0:
                    if since == 0:
                        recent[at, 0] += baskets[2][e]
                    recent[at, 1] += loud * baskets[2][e]
        looked = np.zeros((n, 3))
        for j in range(d_ptr[r], d_ptr[r + 1]):
            at = place_of[d_item[j]] - 1
            if at >= 0:
                age = max(now - d_ts[j], 0) / 86400.0
                looked[at, d_kind[j]] += 2.0 ** (-age / LOOK_DAYS)
        usual_level = level / n_level if n_level > 0 else 0.5
        usual_promotion = promotion / n_promotion if n_promotion > 0 else 0.0
        first_ts = b_ts[b0] if b1 > b0 else now
        last_ts = b_ts[b1 - 1] if b1 > b0 else now
        weekday = (now // 86400) % 7
        highest = np.zeros(n_columns)
        best = -1e30
        for i in range(c0, c1):
            best = max(best, total[i])
            for c in range(n_columns):
                highest[c] = max(highest[c], scores[i, c])
        place = np.argsort(-total[c0:c1], kind="mergesort")
        for p in range(n):
            out[c0 + place[p], BLEND_AT + 2] = np.log1p(p)
        owned = 0.0
        for i in range(c0, c1):
            what, mine, x = item_ix[i], own[i - c0], out[i]
            times = mine[0]
            if times > 0:
                owned += 1.0
                elapsed = _days(now - mine[1])
                x[OWN_AT] = np.log1p(times)
                x[OWN_AT + 1] = elapsed
                x[OWN_AT + 2] = n_orders - 1 - mine[2]
                x[OWN_AT + 3] = _days(now - mine[3])
                for c in range(6):
                    x[OWN_AT + 4 + c] = mine[4 + c]
                if times > 1 and mine[1] > mine[3]:
                    gap = _days((mine[1] - mine[3]) / (times - 1.0))
                    x[OWN_AT + 10] = gap
                    x[OWN_AT + 11] = elapsed - gap
                else:
                    x[OWN_AT + 10] = -1.0
                    x[OWN_AT + 11] = -10.0
                usual = columns[what, 8]
                x[OWN_AT + 12] = elapsed - usual if usual >= 0 else -10.0
                x[OWN_AT + 13] = times / (n_orders - mine[14])
                x[OWN_AT + 14] = mine[10]
                x[OWN_AT + 15] = np.log1p(max(mine[11] / times, 0.0))
                x[OWN_AT + 16] = mine[12] / times
                x[OWN_AT + 17] = mine[13] / times
                x[OWN_AT + 18] = mine[15]
                x[OWN_AT + 19] = mine[16]
            else:
                x[OWN_AT + 1] = -1.0
                x[OWN_AT + 2] = -1.0
                x[OWN_AT + 3] = -1.0
                x[OWN_AT + 10] = -1.0
                x[OWN_AT + 11] = -10.0
                x[OWN_AT + 12] = -10.0
            x[OWN_AT + 20] = looked[i - c0, 0]
            x[OWN_AT + 21] = looked[i - c0, 1]
            x[OWN_AT + 22] = looked[i - c0, 2]
            k = category[what]
            x[AFF_AT + 2] = -1.0
            x[AFF_AT + 3] = -1.0
            if k >= 0 and by_category[k, 5] > 0:
                x[AFF_AT] = by_category[k, 0]
                x[AFF_AT + 1] = by_category[k, 1] / (all_365 + 1.0)
                x[AFF_AT + 2] = _days(now - by_category[k, 2])
                x[AFF_AT + 3] = n_orders - 1 - by_category[k, 3]
                x[AFF_AT + 4] = by_category[k, 4] / by_category[k, 5]
            k = brand[what]
            x[AFF_AT + 6] = -1.0
            if k >= 0 and by_brand[k, 0] > 0:
                x[AFF_AT + 5] = by_brand[k, 0] / (all_365 + 1.0)
                x[AFF_AT + 6] = _days(now - by_brand[k, 1])
            k = department[what]
            if k >= 0:
                x[AFF_AT + 7] = by_department[k] / (all_365 + 1.0)
            x[AFF_AT + 8] = columns[what, 9] - usual_level if columns[what, 9] >= 0 else 0.0
            x[AFF_AT + 9] = columns[what, 10] - usual_promotion
            k = family[what]
            x[AFF_AT + 11] = -1.0
            if k >= 0 and by_family[k, 0] > 0:
                x[AFF_AT + 10] = by_family[k, 0] / (all_365 + 1.0)
                x[AFF_AT + 11] = _days(now - by_family[k, 1])
            for c in range(2):
                x[RECENT_AT + c] = recent[i - c0, c]
            for c in range(n_stats):
                x[ITEM_AT + c] = columns[what, c]
            x[HERE_AT] = on_channel[what, on] if on < on_channel.shape[1] else 0.0
            x[HERE_AT + 1] = on_weekday[what, weekday]
            x[HERE_AT + 2] = log_price[what]
            x[BLEND_AT] = total[i]
            x[BLEND_AT + 1] = best - total[i]
            for c in range(n_columns):
                x[SCORE_AT + c] = scores[i, c]
                x[RELATIVE_AT + c] = scores[i, c] / highest[c] if highest[c] > 0 else 0.0
        for i in range(c0, c1):
            x = out[i]
            x[CUSTOMER_AT] = np.log1p(n_orders)
            x[CUSTOMER_AT + 1] = _days(now - last_ts)
            x[CUSTOMER_AT + 2] = (
                _days((last_ts - first_ts) / (n_orders - 1.0)) if n_orders > 1 else -1.0
            )
            x[CUSTOMER_AT + 3] = np.log1p(lines / n_orders) if n_orders > 0 else 0.0
            x[CUSTOMER_AT + 4] = _days(now - first_ts)
            x[CUSTOMER_AT + 5] = np.log1p(owned)
            x[CUSTOMER_AT + 6] = owned / lines if lines > 0 else 0.0
            x[CUSTOMER_AT + 7] = usual_level
            x[CUSTOMER_AT + 8] = usual_promotion
            x[CUSTOMER_AT + 9] = cart_ptr[r + 1] - cart_ptr[r]
            x[CUSTOMER_AT + 10] = there / max(lines, 1.0) if on != NO_CHANNEL else -1.0
        for i in range(c0, c1):  # clean for the next customer
            place_of[item_ix[i]] = 0
        for j in range(b0, b1):
            what = b_item[j]
            if category[what] >= 0:
                by_category[category[what], :] = 0.0
            if brand[what] >= 0:
                by_brand[brand[what], :] = 0.0
            if department[what] >= 0:
                by_department[department[what]] = 0.0
            if family[what] >= 0:
                by_family[family[what], :] = 0.0
