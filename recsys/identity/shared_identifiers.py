"""Identifiers that strangers share: the default card of a till, the payment card of a company.

Pairs of identifiers that were seen together come in; the identifiers that belong to no single
customer go out, with the reason. Only the pairs count here, not what a value looks like (see
``blocking``). Called by ``resolution`` only.
"""

from typing import Final

import numpy as np

from recsys.config import IdentitySettings
from recsys.identity.graph import Flags, Graph, Ints, Pairs

#: Prefix of every reason of this module.
DEGREE: Final = "degree: "
#: Largest degree of types without a setting.
DEFAULT_DEGREE: Final = 12
#: The type whose degree counts logins, not identifiers.
DEVICE: Final = "device"
#: Types that are handed over a counter, so that an order may show a stranger's.
LENT: Final = ("loyalty_card", "payment_token")
#: Fewest homes of its guests from which a host counts as shared.
MIN_HOMES: Final = 3
#: A card and a token met by chance if each was seen at least this many times as often with another
#: one ...
EACH_ELSEWHERE: Final = 2
#: ... and, in the geometric mean of both, this many times.
MEAN_ELSEWHERE: Final = 5


def most_degree(kind: str, settings: IdentitySettings) -> int:
    """Return the degree that an identifier of a type may have."""
    built_in = IdentitySettings().max_degree.get(kind, DEFAULT_DEGREE)
    return settings.max_degree.get(kind, built_in)


def by_degree(graph: Graph, pairs: Pairs, settings: IdentitySettings) -> dict[int, str]:
    """Find identifiers that were seen with too many of one other type.

    Parameters
    ----------
    graph : Graph
    pairs : Pairs
        Without identifiers that a rule blocks.
    settings : IdentitySettings
        ``max_degree`` is used.

    Returns
    -------
    dict of int to str
        Reason by position of the identifier.

    Notes
    -----
    Devices have no part in it. They are given new ids whenever cookies are cleared, so any number
    of them with one account is normal; and they themselves are judged by who logged in, see
    ``by_logins``.
    """
    kinds, kind_of = graph.kinds, graph.kind_of
    device = graph.of_kind(DEVICE)
    met = ~device[pairs.a] & ~device[pairs.b] & (kind_of[pairs.a] != kind_of[pairs.b])
    a, b = pairs.a[met], pairs.b[met]
    who, whom = np.concatenate((a, b)), np.concatenate((b, a))
    shape = (len(kind_of), len(kinds))
    degrees = np.bincount(who * shape[1] + kind_of[whom], minlength=shape[0] * shape[1])
    degrees = degrees.reshape(shape)
    most = np.array([most_degree(kind, settings) for kind in kinds], np.int64)
    found = {}
    for ix in np.flatnonzero((degrees > most[kind_of][:, None]).any(axis=1)).tolist():
        other = int(degrees[ix].argmax())
        found[ix] = f"{DEGREE}seen with {degrees[ix, other]} {kinds[other]}"
    return found


def by_guests(graph: Graph, pairs: Pairs, registered: Flags) -> dict[int, str]:
    """Find lent cards that mostly other people's identifiers come along with.

    A default card that was used for a handful of tickets has no striking degree. But each payment
    token that came with it was seen at least as often with its owner's card: it was a guest here
    and has its home there, and the guests' homes are many. A person's new card, too, comes with a
    token that was seen more often with the old one; but then all guests have the same home.

    Parameters
    ----------
    graph : Graph
    pairs : Pairs
        Without blocked identifiers.
    registered : ndarray of shape (n_identifiers,), bool
        Identifiers that someone registered; they have an owner and are never found.

    Returns
    -------
    dict of int to str
        Reason by position of the identifier.
    """
    found: dict[int, str] = {}
    n = len(graph.kind_of)
    for kind in LENT:
        met = pairs.between(graph.of_kind(kind), ~graph.of_kind(kind, DEVICE))
        home, often = _best_others(met.a, met.b, met.seen)
        visits = (home >= 0) & (often >= met.seen)
        homes = np.unique(np.stack((met.a[visits], home[visits])), axis=1)[0]
        n_homes = np.bincount(homes, minlength=n)
        n_residents = np.bincount(met.a[~visits], minlength=n)
        shared = (n_homes >= MIN_HOMES) & (n_homes > n_residents) & ~registered
        for ix in np.flatnonzero(shared).tolist():
            found[ix] = f"{DEGREE}seen with guests of {n_homes[ix]} other {kind}"
    return found


def by_logins(
    graph: Graph, pairs: Pairs, customers: Ints, settings: IdentitySettings
) -> dict[int, str]:
    """Find devices on which too many different customers logged in.

    Parameters
    ----------
    graph : Graph
    pairs : Pairs
        Without blocked identifiers.
    customers : ndarray of shape (n_identifiers,), int64
        Customer of each identifier, found without any device: an account and the e-mail that is
        registered to it are one login.
    settings : IdentitySettings
        ``max_degree`` of the type ``device`` is used.

    Returns
    -------
    dict of int to str
        Reason by position of the device.
    """
    device = graph.of_kind(DEVICE)
    met = pairs.between(device, ~device)
    logins = np.unique(np.stack((met.a, customers[met.b])), axis=1)[0]
    n_logins = np.bincount(logins, minlength=len(device))
    shared = np.flatnonzero(n_logins > most_degree(DEVICE, settings))
    return {ix: f"{DEGREE}seen with {n_logins[ix]} logins" for ix in shared.tolist()}


def by_chance(graph: Graph, pairs: Pairs) -> Flags:
    """Find pairs of a loyalty card and a payment token that met by chance: one was lent.

    Both are at home elsewhere: the card was seen far more often with another token, and the token
    with another card. A new card or token has no such other home yet.

    Parameters
    ----------
    graph : Graph
    pairs : Pairs
        Without blocked identifiers.

    Returns
    -------
    ndarray of shape (n_links,), bool
        Links of such pairs, whatever their evidence.
    """
    card, token = (graph.of_kind(kind) for kind in LENT)
    met = pairs.between(card, token)
    _, seen_by_token = _best_others(met.a, met.b, met.seen)
    _, seen_by_card = _best_others(met.b, met.a, met.seen)
    each = np.minimum(seen_by_token, seen_by_card) >= EACH_ELSEWHERE * met.seen
    mean = seen_by_token * seen_by_card >= (MEAN_ELSEWHERE * met.seen) ** 2
    chance = each & mean
    n = max(len(graph.kind_of), 1)
    keys = np.minimum(met.a, met.b) * n + np.maximum(met.a, met.b)
    links = np.minimum(graph.a, graph.b) * n + np.maximum(graph.a, graph.b)
    return np.isin(links, keys[chance])


def _best_others(host: Ints, guest: Ints, seen: Ints) -> tuple[Ints, Ints]:
    """For each pair, the other host with which its guest was seen most, and how often.

    (-1, 0) where the guest has no other host.
    """
    order = np.lexsort((host, -seen, guest))
    hosts, guests, times = host[order], guest[order], seen[order]
    first = np.flatnonzero(np.r_[True, guests[1:] != guests[:-1]])
    # Sorted by how often, a guest's favourite host comes first and the next one second. Seen from
    # any pair, the best other host is the first; seen from the first itself, it is the second.
    stays = np.diff(np.r_[first, len(guests)])
    best = np.repeat(first, stays)
    second = np.repeat(np.where(stays > 1, first + 1, -1), stays)
    other = np.where(best == np.arange(len(guests)), second, best)
    found, often = np.empty_like(host), np.empty_like(seen)
    found[order] = np.where(other >= 0, hosts[other], -1)
    often[order] = np.where(other >= 0, times[other], 0)
    return found, often
