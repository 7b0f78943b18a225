"""Compiled loops of ``rules``.

Flat arrays of candidates, of histories, limits and stock come in; codes of rules and products
that stand for choices come out. Scratch arrays as long as the catalogue come in as zeros and are
left as zeros. Compiled, since each candidate asks ten questions of arrays by its position.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.datasets import IntArray, IxArray, compiled, inlined
from recsys.ranking.stock_kernels import NONE_HERE, stock_here

Bytes = npt.NDArray[np.uint8]

#: What is marked of a choice while one request is looked at.
_EXCLUDED, _IN_CART, _HAD, _LATELY = 1, 2, 4, 8
#: Beside these, marks of ``rules.Suppressed``.
NOT_INTERESTED, CAPPED = 16, 32
#: Why a product is kept out that depends on what is asked: it does not pass the filter, or too few
#: are left of it.
FILTERED, SCARCE = 1, 2


@compiled
def _begin(mark: Bytes, r: int, arrays: Any) -> None:
    """Mark the choices that a request and its customer's history name."""
    past_indptr, past, lately_indptr, exclude_indptr, exclude, cart_indptr, cart = arrays[:7]
    lately, of = arrays[8], arrays[17]
    suppressed_indptr, suppressed, suppressed_by = arrays[18:21]
    for at in range(exclude_indptr[r], exclude_indptr[r + 1]):
        mark[of[exclude[at]]] |= _EXCLUDED
    for at in range(suppressed_indptr[r], suppressed_indptr[r + 1]):
        mark[of[suppressed[at]]] |= suppressed_by[at]
    for at in range(cart_indptr[r], cart_indptr[r + 1]):
        mark[of[cart[at]]] |= _IN_CART
    for at in range(past_indptr[r], past_indptr[r + 1]):
        mark[of[past[at]]] |= _HAD
    for at in range(lately_indptr[r], lately_indptr[r + 1]):
        mark[of[lately[at]]] |= _LATELY


@compiled
def _end(mark: Bytes, r: int, arrays: Any) -> None:
    """Clear what ``_begin`` marked."""
    past_indptr, past, _, exclude_indptr, exclude, cart_indptr, cart = arrays[:7]
    of, suppressed_indptr, suppressed = arrays[17:20]
    for at in range(exclude_indptr[r], exclude_indptr[r + 1]):
        mark[of[exclude[at]]] = 0
    for at in range(suppressed_indptr[r], suppressed_indptr[r + 1]):
        mark[of[suppressed[at]]] = 0
    for at in range(cart_indptr[r], cart_indptr[r + 1]):
        mark[of[cart[at]]] = 0
    for at in range(past_indptr[r], past_indptr[r + 1]):
        mark[of[past[at]]] = 0


@inlined
def _rule(item: Any, known: Any, kept_out: Any, limits: Any, shop: Any) -> Any:
    """Return 1 + the first rule that forbids a product; 0 where none does.

    ``limits`` are those of the request, ``shop`` what holds for every request. The caller makes
    both tuples outside of its loop over candidates: unpacking all arrays for each candidate would
    count references to all of them.
    """
    new_only, of_age, place, since_ts = limits
    adult, active, stock = shop
    if not active[item]:
        return 1
    if known & _EXCLUDED:
        return 2
    if known & _IN_CART:
        return 3
    if adult[item] and not of_age:
        return 4
    if kept_out == FILTERED:
        return 5
    if new_only and known & _HAD:
        return 6
    if known & _LATELY:
        return 7
    if known & NOT_INTERESTED:
        return 8
    if known & CAPPED:
        return 9
    if stock_here(item, place, since_ts, stock) == NONE_HERE:
        return 10
    return 11 if kept_out == SCARCE else 0


@compiled
def first_rule(
    mark: Bytes, indptr: IntArray, items: IxArray, kept_out: Bytes, arrays: Any
) -> Bytes:
    """Find the first rule that forbids each product.

    Walks requests and their candidates in order; ``mark`` holds the choices that the request and
    the history name. Compiled because numpy would allocate an array per rule and sort for each
    membership.
    """
    new_only, _, of_age, adult, place, active = arrays[7:13]
    stock, of, since_ts = arrays[13:17] + arrays[21:23], arrays[17], arrays[23]
    shop = adult, active, stock
    code = np.zeros(len(items), np.uint8)
    for r in range(len(indptr) - 1):
        _begin(mark, r, arrays)
        limits = new_only[r], of_age[r], place[r], since_ts[r]
        for at in range(indptr[r], indptr[r + 1]):
            item = items[at]
            code[at] = _rule(item, mark[of[item]], kept_out[at], limits, shop)
        _end(mark, r, arrays)
    return code


@compiled
def first_rule_of_choice(
    mark: Bytes,
    kept_out: Bytes,
    indptr: IntArray,
    items: IxArray,
    barred_indptr: IntArray,
    barred: IxArray,
    barred_by: Bytes,
    starts: IntArray,
    order: IxArray,
    arrays: Any,
) -> Bytes:
    """Find the rule that forbids every product of each product's choice; 0 if one is allowed.

    As ``first_rule``; where a product is forbidden, walks the others of its choice until one is
    allowed.
    """
    new_only, _, of_age, adult, place, active = arrays[7:13]
    stock, of, since_ts = arrays[13:17] + arrays[21:23], arrays[17], arrays[23]
    shop = adult, active, stock
    out = np.zeros(len(items), np.uint8)
    for r in range(len(indptr) - 1):
        _begin(mark, r, arrays)
        limits = new_only[r], of_age[r], place[r], since_ts[r]
        for at in range(barred_indptr[r], barred_indptr[r + 1]):
            kept_out[barred[at]] = barred_by[at]
        # What holds for one product of a choice holds for all of it.
        whole = _EXCLUDED | _IN_CART | _LATELY | NOT_INTERESTED | CAPPED
        if new_only[r]:
            whole |= _HAD
        for at in range(indptr[r], indptr[r + 1]):
            choice = of[items[at]]
            known = mark[choice]
            item = items[at]
            code = _rule(item, known, kept_out[item], limits, shop)
            if code != 0 and not known & whole:
                for member in order[starts[choice] : starts[choice + 1]]:
                    if _rule(member, known, kept_out[member], limits, shop) == 0:
                        code = 0
                        break
            out[at] = code
        for at in range(barred_indptr[r], barred_indptr[r + 1]):
            kept_out[barred[at]] = 0
        _end(mark, r, arrays)
    return out


@compiled
def choose_representatives(
    mark: Bytes,
    kept_out: Bytes,
    own: Bytes,
    indptr: IntArray,
    leaders: IxArray,
    barred_indptr: IntArray,
    barred: IxArray,
    barred_by: Bytes,
    starts: IntArray,
    order: IxArray,
    where: IntArray,
    bought: IntArray,
    arrays: Any,
) -> IxArray:
    """Find the product that stands for each leader's choice."""
    past_indptr, past = arrays[:2]
    new_only, _, of_age, adult, place, active = arrays[7:13]
    stock, of, since_ts = arrays[13:17] + arrays[21:23], arrays[17], arrays[23]
    shop = adult, active, stock
    out = leaders.copy()
    for r in range(len(indptr) - 1):
        _begin(mark, r, arrays)
        limits = new_only[r], of_age[r], place[r], since_ts[r]
        for at in range(barred_indptr[r], barred_indptr[r + 1]):
            kept_out[barred[at]] = barred_by[at]
        for at in range(past_indptr[r], past_indptr[r + 1]):
            own[past[at]] = 1
        for at in range(indptr[r], indptr[r + 1]):
            choice = of[leaders[at]]
            known = mark[choice]
            best = best_here = -1
            for member in order[starts[choice] : starts[choice + 1]]:  # ascending: equals stay
                code = _rule(member, known, kept_out[member], limits, shop)
                if code != 0:
                    continue
                here = stock_here(member, where[r], since_ts[r], stock)
                better = best < 0
                if not better:
                    if here != best_here:
                        better = here > best_here
                    elif own[member] != own[best]:
                        better = own[member] > own[best]
                    else:
                        better = bought[member] > bought[best]
                if better:
                    best, best_here = member, here
            if best >= 0:
                out[at] = best
        for at in range(past_indptr[r], past_indptr[r + 1]):
            own[past[at]] = 0
        for at in range(barred_indptr[r], barred_indptr[r + 1]):
            kept_out[barred[at]] = 0
        _end(mark, r, arrays)
    return out
