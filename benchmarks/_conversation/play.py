"""Plays the weeks: people visit and buy, channels ask and report, mails go out.

In: a plan of what people do, and a system that channels talk to. Out: a ``Log``. Called by
``benchmarks.conversation``.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks._conversation.log import Chances, Compared, Log, PutIntoCart, Refused, Showing
from benchmarks._conversation.people import TICK, Line, Person, Plan, Report, Visit, tell
from benchmarks._conversation.services import CHANNELS, FREE, Clock, System
from recsys.units import DAY, HOUR

#: When mails are decided, and go out: weekdays, and hours where most people live.
_MAILING_DAYS: Final = (1, 4)
_DECIDED_HOUR, _SENT_HOUR, _CART_HOUR, _NIGHT_HOUR = 20.0, 9.0, 8.5, 2.0
#: Of mails: which bounce, and which are opened. Of products: clicks for each unit of chance, and
#: refusals. Of lists in the app: those that nobody scrolls to.
_BOUNCES, _OPENS, _CLICKS, _REFUSES, _UNSEEN = 0.02, 0.4, 0.2, 0.002, 0.15
#: How late reports of views and mails come, at most. Seconds.
_LATE: Final = 3 * HOUR
#: Of people: one in so many is also asked for without rules.
_COMPARED_WITH: Final = 5


class Mail(NamedTuple):
    """A message that is to go out."""

    person: Person
    placement: str
    mailing_id: str
    free: Chances | None = None
    """The list without rules, where it was asked for."""


class Play:
    """The weeks, over one system.

    Parameters
    ----------
    plan : Plan
    system : System
    clock : Clock
        Of the system.
    zone : str
        IANA time zone of most people.
    seed : int
    """

    def __init__(self, plan: Plan, system: System, clock: Clock, zone: str, seed: int) -> None:
        self.plan, self.system, self.clock = plan, system, clock
        self.log = Log()
        self._zone, self._seed = ZoneInfo(zone), seed
        self._rng = np.random.default_rng([seed, 1])
        self._told: dict[int, list[Report]] = defaultdict(list)
        self._mails: dict[int, list[Mail]] = defaultdict(list)
        self._in_carts: dict[int, int] = {}
        self._n = 0

    def run(self, say: Callable[[str], None]) -> Log:
        """Play all of it.

        Parameters
        ----------
        say : callable
            Told of each week.
        """
        for now in range(self.plan.start_ts, self.plan.end_ts, TICK):
            self.clock.now_ts = now
            self._tick(now)
            if (now - self.plan.start_ts) % (7 * DAY) == 0:
                say(f"week {(now - self.plan.start_ts) // (7 * DAY) + 1}: {self.log.asked:,} asked")
        return self.log

    def _tick(self, now: int) -> None:
        local = datetime.fromtimestamp(now, self._zone)
        hour = local.hour + local.minute / 60
        reports = [*self.plan.reports.get(now, ()), *self._told.pop(now, ())]
        self._rng.shuffle(reports)
        self.system.tell(reports)
        self.system.say(self.plan.words.get(now, ()))
        if hour == _NIGHT_HOUR:
            self.system.night(now)
        self._pages(now, self.plan.visits.get(now, ()))
        if hour == _DECIDED_HOUR and (local.weekday() + 1) % 7 in _MAILING_DAYS:
            self._begin_mailing(now, now + int((24 + _SENT_HOUR - hour) * HOUR))
        if hour == _CART_HOUR:
            self._begin_cart_mails(now)
        for mails in _by(self._mails.pop(now, ()), lambda mail: (mail.placement, mail.mailing_id)):
            self._send(now, mails)

    # Pages

    def _pages(self, now: int, visits: Sequence[Visit]) -> None:
        for visit in visits:
            if visit.cart:
                self._put_into_cart(now, visit)
        homes = {"web": "web_home", "app": "app_home", "associate": "associate_tablet"}
        for some in _by(visits, lambda visit: visit.channel):
            self._look(now, homes[some[0].channel], some)
        self._look(now, "web_cart", [v for v in visits if v.cart and v.channel == "web"])

    def _put_into_cart(self, now: int, visit: Visit) -> None:
        person = visit.person
        self._in_carts[person.ix] = now
        cart = [PutIntoCart(person.ix, item_id, now) for item_id, _, _ in visit.cart]
        self.log.carts += cart
        who = ("email", person.email)
        more = (("session_id", f"s{person.ix}/{now}"),)
        self._n += 1
        event_id = f"cart/{self._n}"
        report = Report(visit.channel, event_id, "add_to_cart", now, who, visit.cart, more)
        self._tell(report, now, TICK)

    def _look(self, now: int, placement: str, visits: Sequence[Visit]) -> None:
        entries = [_entry(visit, with_cart=placement == "web_cart") for visit in visits]
        people = [visit.person for visit in visits]
        for person, (answer, free) in zip(
            people, self._ask(placement, entries, people), strict=True
        ):
            self._compare(now, person, answer, free)
            items = answer["items"]
            if placement == "app_home":
                items = self._seen(now, person, answer)
            if items:
                self._shown(now, person, placement, answer, items)

    def _seen(self, now: int, person: Person, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what of a list in the app is looked at, and have that reported."""
        drawn = self._draw(person, now, "seen")
        if drawn < _UNSEEN or not answer["items"]:
            return []
        items: list[dict[str, Any]] = answer["items"]
        items = items[: 1 + int(drawn * len(items))]
        lines: tuple[Line, ...] = tuple((item["item_id"], 1.0, None) for item in items)
        self._report(now, "app", "view_item_list", answer, lines)
        return items

    def _shown(
        self,
        now: int,
        person: Person,
        placement: str,
        answer: dict[str, Any],
        items: Sequence[dict[str, Any]],
    ) -> None:
        """Write down what somebody saw, and let them click on it, or refuse it."""
        channel = CHANNELS[placement]
        left = tuple(line["item_id"] for line in answer.get("left_cart", ()))
        ids = tuple(item["item_id"] for item in items)
        self.log.showings.append(Showing(person.ix, now, placement, ids, left))
        click = "email_clicked" if channel == "email" else "select_item"
        for item in items:
            item_id = item["item_id"]
            line: tuple[Line, ...] = ((item_id, 1.0, None),)
            drawn = self._draw(person, now, item_id)
            if drawn < _CLICKS * item["score"]:
                self._report(now, channel, click, answer, line)
            elif drawn > 1 - _REFUSES:
                who = ("email", person.email)
                self._n += 1
                report = Report(channel, f"dismiss/{self._n}", "dismiss", now, who, line)
                told_ts = self._tell(report, now, TICK)
                self.log.refused.append(Refused(person.ix, item_id, told_ts))

    # Mails

    def _begin_mailing(self, now: int, send_ts: int) -> None:
        """Decide a mailing to everybody, or have it decided as it is sent."""
        mailing_id = f"week-{now}"
        mails = [Mail(person, "email_weekly", mailing_id) for person in self.plan.people]
        if not self.system.asks_again:
            self._mails[send_ts] += mails
            return
        answers = self._ask_mails(mails, send_at=_utc(send_ts))
        for mail, (answer, free) in zip(mails, answers, strict=True):
            if "items" in answer:
                self._mails[send_ts].append(mail._replace(free=free))
            else:
                self._hold(now, mail, answer, send_ts)

    def _begin_cart_mails(self, now: int) -> None:
        """Write to whoever put something into a cart since yesterday."""
        since = [ix for ix, ts in self._in_carts.items() if now - DAY <= ts < now]
        mailing_id = f"carts-{now}"
        self._mails[now] += [Mail(self.plan.people[ix], "email_cart", mailing_id) for ix in since]

    def _send(self, now: int, mails: Sequence[Mail]) -> None:
        """Ask for mails at the moment at which they go out, and send what may go out."""
        for mail, (answer, free) in zip(mails, self._ask_mails(mails), strict=True):
            if "items" not in answer:
                self._hold(now, mail, answer, now)
                continue
            rechecked = answer.get("rechecked", {"removed": ()})
            self.log.removed.update(one["code"] for one in rechecked["removed"])
            if self._draw(mail.person, now, "bounce") < _BOUNCES:
                self._report(now, "email", "email_failed", answer)
                continue
            self._compare(now, mail.person, answer, mail.free or free)
            self._report(now, "email", "email_sent", answer)
            if self._draw(mail.person, now, "open") < _OPENS:
                self._report(now, "email", "email_opened", answer)
            self._shown(now, mail.person, mail.placement, answer, answer["items"])

    def _hold(self, now: int, mail: Mail, answer: dict[str, Any], send_ts: int) -> None:
        """Ask again when a message may go out, unless that is another day."""
        later = answer.get("send_after")
        after_ts = int(datetime.fromisoformat(later).timestamp()) if later else 0
        if send_ts < after_ts < send_ts + DAY / 2:
            self._mails[max(now + TICK, -(-after_ts // TICK) * TICK)].append(mail)
        else:
            self.log.held[answer["code"]] += 1

    def _ask_mails(
        self, mails: Sequence[Mail], **fields: Any
    ) -> list[tuple[dict[str, Any], Chances | None]]:
        people = [mail.person for mail in mails]
        entries = [{"identifier": _email(person)} for person in people]
        if not mails:
            return []
        one = mails[0]
        known = one.free is not None
        return self._ask(
            one.placement, entries, [] if known else people, mailing_id=one.mailing_id, **fields
        )

    # What all of it needs

    def _ask(
        self,
        placement: str,
        entries: Sequence[Mapping[str, Any]],
        compared: Sequence[Person],
        **fields: Any,
    ) -> list[tuple[dict[str, Any], Chances | None]]:
        """Ask, and for some people also without rules; with what those lists would be worth."""
        if not entries:
            return []
        at = [row for row, person in enumerate(compared) if person.ix % _COMPARED_WITH == 0]
        free: dict[int, Chances] = {}
        if at:
            some = [entries[row] for row in at]
            for row, line in zip(
                at, self.system.ask(placement + FREE, some, dry_run=True), strict=True
            ):
                free[row] = _chances(line)
        self.log.asked += len(entries)
        answers = self.system.ask(placement, entries, **fields)
        return [(answer, free.get(row)) for row, answer in enumerate(answers)]

    def _compare(
        self, now: int, person: Person, answer: dict[str, Any], free: Chances | None
    ) -> None:
        if free is not None:
            self.log.compared.append(Compared(person.ix, now, _chances(answer), free))

    def _report(
        self,
        now: int,
        channel: str,
        event: str,
        answer: dict[str, Any],
        items: tuple[Line, ...] = (),
    ) -> None:
        """Have it reported what became of an answer, by and by, and now and then twice."""
        self._n += 1
        more = (("recommendation_id", answer["recommendation_id"]),)
        report = Report(channel, f"{event}/{self._n}", event, now, None, items, more)
        self._tell(report, now, _LATE)

    def _tell(self, report: Report, now: int, late: int) -> int:
        """Note that a report is sent; return the moment at which it first is."""
        return tell(self._told, report, now + TICK + int(self._rng.uniform(0, late)), self._rng)

    def _draw(self, person: Person, now: int, what: str) -> float:
        """Return a number in [0, 1) that is the same in every play."""
        key = f"{self._seed}/{person.ix}/{now}/{what}".encode()
        return int.from_bytes(hashlib.blake2b(key, digest_size=6).digest()) / (1 << 48)


def _chances(answer: dict[str, Any]) -> Chances:
    return {item["item_id"]: item["score"] for item in answer["items"]}


def _email(person: Person) -> dict[str, str]:
    return {"type": "email", "value": person.email}


def _entry(visit: Visit, *, with_cart: bool) -> dict[str, Any]:
    """Return a customer of a batch: by the card in a store, by the address elsewhere."""
    person = visit.person
    if visit.channel == "associate":
        card = {"type": "loyalty_card", "value": person.card}
        return {"identifier": card, "location_id": visit.location_id}
    entry: dict[str, Any] = {"identifier": _email(person)}
    if with_cart:
        entry["cart"] = [{"item_id": item_id} for item_id, _, _ in visit.cart]
    return entry


def _utc(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat()


def _by(values: Sequence[Any], key: Callable[[Any], Any]) -> list[list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return list(groups.values())
