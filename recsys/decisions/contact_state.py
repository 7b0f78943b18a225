"""What is remembered of the contact with one customer: what was shown when, and what they said.

In: what an answer showed, or an event reported. Out: the next state; nothing else changes. States
are bounded, and states of two identifiers of one customer can be united. Called by ``ledger``.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from recsys.decisions import left_cart
from recsys.decisions.consents import Consent, latest
from recsys.decisions.left_cart import CartChange, CartLine
from recsys.decisions.reservations import Reservation, bounded
from recsys.units import DAY

#: Showings are forgotten this long after, and only this many of each product and channel are kept:
#: caps reach no further.
MAX_DAYS: Final = 90
MAX_TIMES: Final = 20
#: Products whose showings, refusals and clicks are kept for one customer; beyond, the oldest go.
MAX_PRODUCTS: Final = 2_000
MAX_REFUSALS: Final = 500
MAX_CLICKS: Final = 100

Report = Literal["sent", "seen", "failed"]
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


class Arm(msgspec.Struct, frozen=True, array_like=True):
    """What a customer was assigned to, in one holdout."""

    holdout: str
    held_out: bool
    at_ts: int
    """When they were first assigned, UTC epoch seconds."""
    flagged: bool = False
    """Whether linked identifiers had been assigned differently; the first one stays."""


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
    offers_shown: Showings = {}
    """As ``shown``, by the bundle of each offer."""
    reservations: tuple[Reservation, ...] = ()
    """Messages, and what pages reserved, newest first."""
    cart: tuple[CartLine, ...] = ()
    """What the customer put into carts, over all devices, newest first."""
    arms: tuple[Arm, ...] = ()
    """The arm of each holdout that they were first assigned to."""
    time_zone: str = ""
    """IANA time zone of the customer; empty where unknown."""

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
        shown = _added(self.shown, item_ids, channel, at_ts, keep_days)
        return msgspec.structs.replace(self, shown=shown)

    def with_offers_shown(
        self, bundle_ids: Iterable[str], channel: str, at_ts: int, keep_days: int = MAX_DAYS
    ) -> "ContactState":
        """Return the state after offers of bundles were shown; parameters as of ``with_shown``."""
        shown = _added(self.offers_shown, bundle_ids, channel, at_ts, keep_days)
        return msgspec.structs.replace(self, offers_shown=shown)

    def with_reservation(self, reservation: Reservation) -> "ContactState":
        """Return the state after an answer was reserved; a reservation of its id is replaced.

        Parameters
        ----------
        reservation : Reservation
            What counts as decided is counted as shown at once.

        Returns
        -------
        ContactState
        """
        state = self
        if reservation.counts == "decided":
            state, reservation = self._counted(reservation, reservation.decided_ts)
        since_ts = reservation.decided_ts - MAX_DAYS * DAY
        kept = bounded([*state.reservations, reservation], since_ts)
        return msgspec.structs.replace(state, reservations=kept)

    def with_report(
        self, recommendation_id: str, report: Report, at_ts: int, item_ids: Sequence[str] = ()
    ) -> "ContactState":
        """Return the state after a channel reported what became of an answer.

        Parameters
        ----------
        recommendation_id : str
            Of an answer that reserved something; others change nothing.
        report : {"sent", "seen", "failed"}
            A failure releases what was reserved or counted; an attempt after it counts again.
            What is seen was sent.
        at_ts : int
            When it happened, UTC epoch seconds.
        item_ids : sequence of str
            Products that were seen; by default all.

        Returns
        -------
        ContactState
        """
        found = [one for one in self.reservations if one.recommendation_id == recommendation_id]
        if not found or (found[0].state == "failed" and at_ts <= found[0].until_ts):
            return self
        before = found[0]
        if report == "failed" and before.state == "sent" and at_ts < before.send_ts:
            return self  # an earlier attempt
        if report == "failed":
            after = msgspec.structs.replace(before, state="failed", shown_ts=None, until_ts=at_ts)
            state = self._uncounted(before)
        else:
            sent_ts = at_ts if before.state != "sent" else before.send_ts
            after = msgspec.structs.replace(before, state="sent", send_ts=sent_ts)
            state = self
            due = before.counts == report or (before.counts == "sent" and report == "seen")
            if due and before.shown_ts is None:
                seen = after if report == "sent" else _part(after, item_ids)
                state, after = self._counted(seen, at_ts)
        others = (
            after if one.recommendation_id == recommendation_id else one
            for one in state.reservations
        )
        return msgspec.structs.replace(state, reservations=tuple(others))

    def displacing(self, recommendation_ids: Iterable[str]) -> "ContactState":
        """Return the state after messages gave way to another one."""
        gone = set(recommendation_ids)
        kept = (
            msgspec.structs.replace(one, state="displaced")
            if one.recommendation_id in gone
            else one
            for one in self.reservations
        )
        return msgspec.structs.replace(self, reservations=tuple(kept))

    def without_reservation(self, recommendation_id: str) -> "ContactState":
        """Return the state as if an answer had reserved nothing; what counts as shown stays."""
        kept = (one for one in self.reservations if one.recommendation_id != recommendation_id)
        return msgspec.structs.replace(self, reservations=tuple(kept))

    def _counted(self, one: Reservation, at_ts: int) -> tuple["ContactState", Reservation]:
        state = self.with_shown(one.item_ids, one.channel, at_ts)
        state = state.with_offers_shown(one.offer_ids, one.channel, at_ts)
        return state, msgspec.structs.replace(one, shown_ts=at_ts)

    def _uncounted(self, one: Reservation) -> "ContactState":
        if one.shown_ts is None:
            return self
        return msgspec.structs.replace(
            self,
            shown=_removed(self.shown, one.item_ids, one.channel, one.shown_ts),
            offers_shown=_removed(self.offers_shown, one.offer_ids, one.channel, one.shown_ts),
        )

    def with_cart(self, changes: Iterable[CartChange]) -> "ContactState":
        """Return the state after the customer changed a cart.

        Parameters
        ----------
        changes : iterable of CartChange
            In any order.

        Returns
        -------
        ContactState
        """
        return msgspec.structs.replace(self, cart=left_cart.changed(self.cart, changes))

    def before(self, ts: int) -> "ContactState":
        """Return the state without what happened at a time or after it, as far as it is known.

        Parameters
        ----------
        ts : int
            UTC epoch seconds.

        Returns
        -------
        ContactState
            A word, a click or a cart line that a later one replaced is missing.
        """
        return msgspec.structs.replace(
            self,
            shown=_until(self.shown, ts),
            offers_shown=_until(self.offers_shown, ts),
            refusals=tuple(one for one in self.refusals if one.at_ts < ts),
            clicks=tuple(one for one in self.clicks if one.at_ts < ts),
            reservations=tuple(one for one in self.reservations if one.decided_ts < ts),
            cart=tuple(one for one in self.cart if one.at_ts < ts),
        )

    def with_arms(self, arms: Iterable[Arm]) -> "ContactState":
        """Return the state after a customer was assigned; the first assignment stays."""
        return msgspec.structs.replace(self, arms=_first_arms([*self.arms, *arms]))

    def shown_or_reserved(self, now_ts: int) -> tuple[Showings, Showings]:
        """Return what counts as shown at a time, of products and of offers' bundles.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds; reservations that end before do not count.
        """
        holding = [one for one in self.reservations if one.holds(now_ts)]
        if not holding:
            return self.shown, self.offers_shown
        shown, offers = self.shown, self.offers_shown
        for one in holding:
            shown = _added(shown, one.item_ids, one.channel, one.decided_ts, MAX_DAYS)
            offers = _added(offers, one.offer_ids, one.channel, one.decided_ts, MAX_DAYS)
        return shown, offers

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
        shown = self.shown or self.offers_shown or self.reservations or self.clicks
        return not (shown or self.cart or self.has_said or self.arms or self.time_zone)

    @property
    def has_said(self) -> bool:
        """Whether it holds what the customer said, which stays."""
        return bool(self.refusals or self.consents)

    @property
    def last_ts(self) -> int:
        """When something last happened, UTC epoch seconds; 0 without anything."""
        of_products = (times[-1] for of in self.shown.values() for times in of.values())
        of_offers = (times[-1] for of in self.offers_shown.values() for times in of.values())
        others = (
            *(one.until_ts for one in self.reservations),
            *(one.at_ts for one in self.clicks),
            *(one.at_ts for one in self.cart),
            *(one.at_ts for one in self.refusals),
            *(one.at_ts for one in self.arms),
        )
        return max((*of_products, *of_offers, *others), default=0)


def united(states: Sequence[ContactState]) -> ContactState:
    """Return the state of a customer of whom several identifiers have states.

    Parameters
    ----------
    states : sequence of ContactState

    Returns
    -------
    ContactState
        Showings and messages are added up, of refusals, clicks and cart lines the latest count,
        of arms the first, and consents stand side by side.
    """
    if len(states) == 1:
        return states[0]
    if not states:
        return ContactState()
    said = [consents for state in states for consents in state.said if consents]
    return ContactState(
        shown=_added_up([state.shown for state in states]),
        refusals=_latest([each for state in states for each in state.refusals]),
        consents=said[0] if said else (),
        consents_of_others=tuple(said[1:]),
        clicks=_latest_clicks([each for state in states for each in state.clicks]),
        offers_shown=_added_up([state.offers_shown for state in states]),
        reservations=bounded([each for state in states for each in state.reservations], 0),
        cart=left_cart.merged([state.cart for state in states]),
        arms=_first_arms([each for state in states for each in state.arms]),
        time_zone=next((state.time_zone for state in states if state.time_zone), ""),
    )


def _added(
    shown: Showings, keys: Iterable[str], channel: str, at_ts: int, keep_days: int
) -> Showings:
    added = dict(shown)
    for key in dict.fromkeys(keys):
        by_channel = added.get(key, {})
        times = sorted([*by_channel.get(channel, ()), at_ts])[-MAX_TIMES:]
        added[key] = {**by_channel, channel: times}
    return _bounded(added, at_ts, keep_days)


def _removed(shown: Showings, keys: Iterable[str], channel: str, at_ts: int) -> Showings:
    """Take one showing at a time out again."""
    left = dict(shown)
    for key in keys:
        times = list(left.get(key, {}).get(channel, ()))
        if at_ts not in times:
            continue
        times.remove(at_ts)
        by_channel = {**left[key], channel: times}
        left[key] = {name: kept for name, kept in by_channel.items() if kept}
        if not left[key]:
            del left[key]
    return left


def _until(shown: Showings, ts: int) -> Showings:
    """Keep showings before a time."""
    left: Showings = {}
    for key, by_channel in shown.items():
        for channel, times in by_channel.items():
            earlier = [at for at in times if at < ts]
            if earlier:
                left.setdefault(key, {})[channel] = earlier
    return left


def _added_up(every: Sequence[Showings]) -> Showings:
    shown: Showings = {}
    for one in every:
        for key, by_channel in one.items():
            for channel, times in by_channel.items():
                known = shown.setdefault(key, {}).get(channel, [])
                shown[key][channel] = sorted([*known, *times])[-MAX_TIMES:]
    return shown


def _part(one: Reservation, item_ids: Sequence[str]) -> Reservation:
    """Return a reservation of what was seen of it only."""
    seen = [item_id for item_id in one.item_ids if item_id in item_ids]
    return msgspec.structs.replace(one, item_ids=tuple(seen)) if seen else one


def _first_arms(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Keep the first arm of each holdout, and flag it where another one differs."""
    first: dict[str, Arm] = {}
    for each in sorted(arms, key=lambda one: (one.at_ts, one.held_out)):
        kept = first.setdefault(each.holdout, each)
        if each.flagged or kept.held_out != each.held_out:
            first[each.holdout] = msgspec.structs.replace(kept, flagged=True)
    return tuple(first[name] for name in sorted(first))


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
