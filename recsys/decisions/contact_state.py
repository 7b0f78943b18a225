"""What is remembered of the contact with one customer: what was shown when, and what they said.

In: what an answer showed, or an event reported. Out: the next state; nothing else changes. States
are bounded, and states of two identifiers of one customer can be united. Called by ``ledger``.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from recsys.decisions import left_cart, showing_times
from recsys.decisions.consents import Consent, latest
from recsys.decisions.customer_words import (
    Arm,
    Click,
    Refusal,
    first_arms,
    latest_clicks,
    latest_refusals,
)
from recsys.decisions.left_cart import CartChange, CartLine
from recsys.decisions.reservations import Reservation, bounded
from recsys.decisions.showing_times import MAX_DAYS, Showings
from recsys.units import DAY

Report = Literal["sent", "seen", "failed"]


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
        shown = showing_times.added(self.shown, item_ids, channel, at_ts, keep_days)
        return msgspec.structs.replace(self, shown=shown)

    def with_offers_shown(
        self, bundle_ids: Iterable[str], channel: str, at_ts: int, keep_days: int = MAX_DAYS
    ) -> "ContactState":
        """Return the state after offers of bundles were shown.

        Parameters
        ----------
        bundle_ids : iterable of str
        channel, at_ts, keep_days
            As of ``with_shown``.

        Returns
        -------
        ContactState
        """
        shown = showing_times.added(self.offers_shown, bundle_ids, channel, at_ts, keep_days)
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
        """Return the state after messages gave way to another one.

        Parameters
        ----------
        recommendation_ids : iterable of str
            Of the messages.

        Returns
        -------
        ContactState
        """
        gone = set(recommendation_ids)
        kept = (
            msgspec.structs.replace(one, state="displaced")
            if one.recommendation_id in gone
            else one
            for one in self.reservations
        )
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
            shown=showing_times.removed(self.shown, one.item_ids, one.channel, one.shown_ts),
            offers_shown=showing_times.removed(
                self.offers_shown, one.offer_ids, one.channel, one.shown_ts
            ),
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
            shown=showing_times.until(self.shown, ts),
            offers_shown=showing_times.until(self.offers_shown, ts),
            refusals=tuple(one for one in self.refusals if one.at_ts < ts),
            clicks=tuple(one for one in self.clicks if one.at_ts < ts),
            reservations=tuple(one for one in self.reservations if one.decided_ts < ts),
            cart=tuple(one for one in self.cart if one.at_ts < ts),
        )

    def with_arms(self, arms: Iterable[Arm]) -> "ContactState":
        """Return the state after a customer was assigned; the first assignment stays.

        Parameters
        ----------
        arms : iterable of Arm

        Returns
        -------
        ContactState
        """
        return msgspec.structs.replace(self, arms=first_arms([*self.arms, *arms]))

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
            shown = showing_times.added(shown, one.item_ids, one.channel, one.decided_ts, MAX_DAYS)
            offers = showing_times.added(
                offers, one.offer_ids, one.channel, one.decided_ts, MAX_DAYS
            )
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
        return msgspec.structs.replace(self, refusals=latest_refusals([*self.refusals, refusal]))

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
        return msgspec.structs.replace(self, clicks=latest_clicks([*self.clicks, *clicks]))

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
        last = [
            times[-1]
            for shown in (self.shown, self.offers_shown)
            for of in shown.values()
            for times in of.values()
        ]
        last += [one.until_ts for one in self.reservations]
        for said in (self.clicks, self.cart, self.refusals, self.arms):
            last += [one.at_ts for one in said]
        return max(last, default=0)


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
        shown=showing_times.added_up([state.shown for state in states]),
        refusals=latest_refusals([each for state in states for each in state.refusals]),
        consents=said[0] if said else (),
        consents_of_others=tuple(said[1:]),
        clicks=latest_clicks([each for state in states for each in state.clicks]),
        offers_shown=showing_times.added_up([state.offers_shown for state in states]),
        reservations=bounded([each for state in states for each in state.reservations], 0),
        cart=left_cart.merged([state.cart for state in states]),
        arms=first_arms([each for state in states for each in state.arms]),
        time_zone=next((state.time_zone for state in states if state.time_zone), ""),
    )


def _part(one: Reservation, item_ids: Sequence[str]) -> Reservation:
    """Return a reservation of what was seen of it only."""
    seen = [item_id for item_id in one.item_ids if item_id in item_ids]
    return msgspec.structs.replace(one, item_ids=tuple(seen)) if seen else one


def encode(state: ContactState) -> bytes:
    """Encode a state for the ledger."""
    return msgspec.msgpack.encode(state)


_decoder = msgspec.msgpack.Decoder(ContactState)


def decode(body: bytes) -> ContactState:
    """Decode a stored state."""
    return _decoder.decode(body)
