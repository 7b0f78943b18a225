"""What is remembered of the contact with one customer: what was shown when, and what they refused.

In: what an answer showed, or an event reported. Out: the next state; nothing else changes. States
are bounded, and states of two identifiers of one customer can be united. Called by ``ledger``.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from recsys.decisions.consents import Consent, latest
from recsys.units import DAY

#: Showings are forgotten this long after, and only this many of each product and channel are kept:
#: caps reach no further.
MAX_DAYS: Final = 90
MAX_TIMES: Final = 20
#: Products whose showings, refusals and clicks are kept for one customer; beyond, the oldest go.
MAX_PRODUCTS: Final = 2_000
MAX_REFUSALS: Final = 500
MAX_CLICKS: Final = 100

#: Product → channel → when it was shown, UTC epoch seconds, ascending.
Showings = dict[str, dict[str, list[int]]]


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A product that a customer is not interested in, or a category of which it is one."""

    item_id: str
    whole_category: bool
    at_ts: int
    """When it was last refused or wanted again, UTC epoch seconds."""
    stands: bool = True
    """False once it was taken back; kept, so that a late, older event changes nothing."""


class Click(msgspec.Struct, frozen=True, array_like=True):
    """The latest click of a customer on a product that was shown."""

    item_id: str
    channel: str
    at_ts: int
    """UTC epoch seconds."""


class ContactState(msgspec.Struct, frozen=True):
    """The contact with one customer, over all channels."""

    shown: Showings = {}
    refusals: tuple[Refusal, ...] = ()
    """The latest word about each product and extent, newest first."""
    consents: tuple[Consent, ...] = ()
    """The latest word about each purpose and channel, newest first."""
    consents_of_others: tuple[tuple[Consent, ...], ...] = ()
    """The same of each further identifier, in a united state."""
    clicks: tuple[Click, ...] = ()
    """The latest click on each product that was shown, newest first."""

    @property
    def said(self) -> tuple[tuple[Consent, ...], ...]:
        """What was said through each identifier, for ``consents_to``."""
        return (self.consents, *self.consents_of_others)

    def with_shown(
        self, item_ids: Iterable[str], channel: str, at_ts: int, keep_days: int = MAX_DAYS
    ) -> "ContactState":
        """Return the state after products were shown.

        Parameters
        ----------
        item_ids : iterable of str
        channel : str
        at_ts : int
            UTC epoch seconds.
        keep_days : int
            Older showings are forgotten: no cap counts them.

        Returns
        -------
        ContactState
        """
        shown = dict(self.shown)
        for item_id in dict.fromkeys(item_ids):
            by_channel = shown.get(item_id, {})
            times = sorted([*by_channel.get(channel, ()), at_ts])[-MAX_TIMES:]
            shown[item_id] = {**by_channel, channel: times}
        return msgspec.structs.replace(self, shown=_bounded(shown, at_ts, keep_days))

    def with_refusal(self, refusal: Refusal) -> "ContactState":
        """Return the state after a customer refused a product, or wanted it again.

        Parameters
        ----------
        refusal : Refusal
            Of equal products and extents the latest counts, in whatever order they come.

        Returns
        -------
        ContactState
        """
        return msgspec.structs.replace(self, refusals=_latest([*self.refusals, refusal]))

    def with_consents(self, said: Iterable[Consent]) -> "ContactState":
        """Return the state after a customer consented to something, or refused.

        Parameters
        ----------
        said : iterable of Consent
            The latest word about each purpose and channel counts, in whatever order they come.

        Returns
        -------
        ContactState
        """
        return msgspec.structs.replace(self, consents=latest([*self.consents, *said]))

    def with_clicks(self, clicks: Iterable[Click]) -> "ContactState":
        """Return the state after a customer clicked on products.

        Parameters
        ----------
        clicks : iterable of Click
            The latest of each product counts, in whatever order they come.

        Returns
        -------
        ContactState
        """
        return msgspec.structs.replace(self, clicks=_latest_clicks([*self.clicks, *clicks]))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not (self.shown or self.refusals or self.consents or self.clicks)


def united(states: Sequence[ContactState]) -> ContactState:
    """Return the state of a customer of whom several identifiers have states.

    Parameters
    ----------
    states : sequence of ContactState

    Returns
    -------
    ContactState
        Showings are added up, of refusals the latest counts, and consents stand side by side.
    """
    if len(states) == 1:
        return states[0]
    shown: Showings = {}
    for state in states:
        for item_id, by_channel in state.shown.items():
            for channel, times in by_channel.items():
                known = shown.setdefault(item_id, {}).get(channel, [])
                shown[item_id][channel] = sorted([*known, *times])[-MAX_TIMES:]
    refusals = _latest([each for state in states for each in state.refusals])
    said = [consents for state in states for consents in state.said if consents]
    clicks = _latest_clicks([each for state in states for each in state.clicks])
    return ContactState(shown, refusals, said[0] if said else (), tuple(said[1:]), clicks)


def _latest_clicks(clicks: Iterable[Click]) -> tuple[Click, ...]:
    latest: dict[str, Click] = {}
    for each in clicks:
        known = latest.get(each.item_id, each)
        latest[each.item_id] = max(known, each, key=lambda one: (one.at_ts, one.channel))
    newest = sorted(latest.values(), key=lambda one: (-one.at_ts, one.item_id))
    return tuple(newest[:MAX_CLICKS])


def _latest(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    latest: dict[tuple[str, bool], Refusal] = {}
    for each in refusals:
        key = each.item_id, each.whole_category
        latest[key] = max(latest.get(key, each), each, key=lambda one: (one.at_ts, one.stands))
    newest = sorted(latest.values(), key=lambda one: (-one.at_ts, one.item_id, one.whole_category))
    return tuple(newest[:MAX_REFUSALS])


def _bounded(shown: Showings, now_ts: int, keep_days: int) -> Showings:
    """Forget what is older than caps reach, and the oldest of too many products."""
    since = now_ts - keep_days * DAY
    recent: Showings = {}
    for item_id, by_channel in shown.items():
        for channel, times in by_channel.items():
            left = times if times[0] >= since else [ts for ts in times if ts >= since]
            if left:
                recent.setdefault(item_id, {})[channel] = left
    if len(recent) <= MAX_PRODUCTS:
        return recent
    last = {item_id: max(times[-1] for times in of.values()) for item_id, of in recent.items()}
    newest = sorted(recent, key=lambda item_id: (-last[item_id], item_id))[:MAX_PRODUCTS]
    return {item_id: recent[item_id] for item_id in sorted(newest)}


def encode(state: ContactState) -> bytes:
    """Encode a state for the ledger."""
    return msgspec.msgpack.encode(state)


_decoder = msgspec.msgpack.Decoder(ContactState)


def decode(body: bytes) -> ContactState:
    """Decode a stored state."""
    return _decoder.decode(body)
