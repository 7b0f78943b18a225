"""The service as one conversation, and as four channels that do not know of each other.

In: reports, words about messages, and questions. Out: what the service answers, by its own
routes. Nothing of its rules is written here again. Called by ``play``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import msgspec
import orjson
from flask import Flask

from benchmarks._conversation.people import ELSEWHERE, Person, Plan, Report, Word, bodies
from recsys.config import CapSettings, Config, ConsentSettings, ContactSettings, PlacementSettings
from recsys.decisions import Consent
from recsys.identity import customer_id_of
from recsys.recommender import all_placements
from serving.app import create_app
from serving.state import State

T = TypeVar("T")

#: The rules of both: showings of a product, and messages, in a week; quiet hours.
PRODUCT_CAP: Final = CapSettings(times=3, days=7)
MESSAGE_CAP: Final = CapSettings(times=2, days=7, of="message")
QUIET: Final = ContactSettings(quiet_from="21:00", quiet_until="08:00")

#: Placement → the channel on which it is shown.
CHANNELS: Final = {
    "web_home": "web",
    "web_cart": "web",
    "app_home": "app",
    "associate_tablet": "associate",
    "email_weekly": "email",
    "email_cart": "email",
}
#: Added to the name of a placement: the same without any rule of contact.
FREE: Final = "_free"

#: Customers of a batch, and events of a request, at most.
_MOST: Final = 1_000
#: What channels tell each other: orders and carts.
_SHARED: Final = ("purchase", "refund", "add_to_cart")
#: Where a till's tickets are known at once.
_OWN: Final = {"pos": "associate"}


def placements(config: Config) -> dict[str, PlacementSettings]:
    """Return the placements that are asked for, each also without rules."""
    known = all_placements(config)
    replace = msgspec.structs.replace
    asked = {
        "web_home": replace(known["web_home"], offers=0),
        "web_cart": replace(known["web_cart"], offers=0),
        "app_home": PlacementSettings(channel="app", counts="seen"),
        "associate_tablet": replace(known["associate_tablet"], offers=0),
        "email_weekly": replace(known["email_weekly"], offers=0, counts="sent", priority=40),
        "email_cart": replace(known["email_cart"], counts="sent"),
    }
    free = {
        name + FREE: replace(each, service=True, hide_bought_days=0.0)
        for name, each in asked.items()
    }
    return asked | free


class Clock:
    """The time of all services."""

    def __init__(self, now_ts: int) -> None:
        self.now_ts = now_ts


class Service:
    """One process of the service, without a server.

    Parameters
    ----------
    config : Config
    clock : Clock
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.app: Flask = create_app(config, background=False)
        self.state: State = self.app.extensions["omnibasket"]
        self.state.now_ts = lambda: clock.now_ts
        self.client = self.app.test_client()
        self.currency = config.workspace.currency

    def ask(
        self, placement: str, customers: Sequence[Mapping[str, Any]], **fields: Any
    ) -> list[dict[str, Any]]:
        """Ask for many customers; a line that must not go out is a problem with a ``code``."""
        lines: list[dict[str, Any]] = []
        for some in _pieces(customers, _MOST):
            body = {"placement": placement, "customers": some, **fields}
            answer = self.client.post("/v1/recommendations/batch", json=body)
            if answer.status_code != 200:
                raise RuntimeError(answer.text)
            lines += [orjson.loads(line) for line in answer.data.splitlines()]
        for line in lines:
            if "items" not in line and "code" not in line:
                raise RuntimeError(f"{placement} was not answered: {line}")
        self.state.flush()
        return lines

    def tell(self, reports: Sequence[Report]) -> None:
        """Report events; none may be refused."""
        for some in _pieces(reports, _MOST):
            events = {"events": [*bodies(some, self.currency)]}
            answer = self.client.post("/v1/events", json=events)
            if answer.status_code != 200:
                raise RuntimeError(answer.text)

    def say(self, person: Person, **said: Any) -> None:
        """Note what a customer consents to, or where they live."""
        path = f"/v1/customers/{person.customer_id}/consents"
        answer = self.client.put(path, json=said)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)

    def begin(self, plan: Plan, rows: Mapping[str, bytes], systems: Sequence[str]) -> None:
        """Take up everybody with what they bought before, as an ingest does."""
        named = sorted(
            (kind, value, customer_id_of(kind, value), person)
            for person in plan.people
            for kind, value in self._identifiers(person)
        )
        self.state.ledger.replace_histories(
            "before",
            sorted((person.customer_id, rows[person.like]) for person in plan.people),
            [(kind, value, own_id, who.customer_id) for kind, value, own_id, who in named],
            systems=systems,
        )
        said = {
            own_id: [Consent("marketing", "", plan.consents[who.ix], plan.start_ts, "register")]
            for _, _, own_id, who in named
        }
        for some in _pieces(list(said), _MOST):
            self.state.ledger.contacts.bring_in({own_id: said[own_id] for own_id in some})
        for person in plan.people:
            if person.zone == ELSEWHERE:
                self.say(person, time_zone=person.zone)

    def _identifiers(self, person: Person) -> Iterator[tuple[str, str]]:
        for kind, value in (("email", person.email), ("loyalty_card", person.card)):
            sealed = self.state.keyed_hash.identifier(kind, value)
            if sealed is None:
                raise RuntimeError(f"{value} names nobody")
            yield kind, sealed

    def night(self, now_ts: int) -> None:
        """Forget what is old, as the service does in the background."""
        self.state.exposures.prune(now_ts)

    def close(self) -> None:
        """Close the ledger."""
        self.state.close()


class System(Protocol):
    """What channels talk to."""

    #: Whether mails are decided in the evening and asked for again as they are sent.
    asks_again: bool

    def begin(self, plan: Plan, rows: Mapping[str, bytes], systems: Sequence[str]) -> None:
        """Take up everybody with what they bought before."""

    def ask(
        self, placement: str, customers: Sequence[Mapping[str, Any]], **fields: Any
    ) -> list[dict[str, Any]]:
        """Ask for many customers."""

    def tell(self, reports: Sequence[Report]) -> None:
        """Report what happened."""

    def say(self, words: Sequence[Word]) -> None:
        """Note what customers say about messages."""

    def night(self, now_ts: int) -> None:
        """Do what is done once a night."""

    def close(self) -> None:
        """Close everything."""


class OneConversation:
    """Replicas of the service over one ledger, which take turns.

    Parameters
    ----------
    config : Config
    clock : Clock
    folder : Path
        Of the ledger.
    replicas : int
    """

    asks_again = True

    def __init__(self, config: Config, clock: Clock, folder: Path, replicas: int) -> None:
        url = f"sqlite:///{folder / 'one.sqlite'}"
        self.replicas = [Service(_ruled(config, url), clock) for _ in range(replicas)]
        self._turn = 0

    def begin(self, plan: Plan, rows: Mapping[str, bytes], systems: Sequence[str]) -> None:
        """Take up everybody; see ``Service.begin``."""
        self._next().begin(plan, rows, systems)

    def ask(
        self, placement: str, customers: Sequence[Mapping[str, Any]], **fields: Any
    ) -> list[dict[str, Any]]:
        """Ask whichever replica's turn it is."""
        return self._next().ask(placement, customers, **fields)

    def tell(self, reports: Sequence[Report]) -> None:
        """Tell each replica a part."""
        for nth in range(len(self.replicas)):
            self._next().tell(reports[nth :: len(self.replicas)])

    def say(self, words: Sequence[Word]) -> None:
        """Note what customers say, at once."""
        for word in words:
            self._next().say(word.person, consents=[_said(word)])

    def night(self, now_ts: int) -> None:
        """Forget what is old."""
        self._next().night(now_ts)

    def close(self) -> None:
        """Close every replica."""
        for each in self.replicas:
            each.close()

    def _next(self) -> Service:
        self._turn += 1
        return self.replicas[self._turn % len(self.replicas)]


class FourChannels:
    """A service of its own, with the same rules, for each channel.

    A channel knows at once what happens on it. Orders and carts of the other channels, and what
    customers said there, it gets in the night; what was shown there it never learns.

    Parameters
    ----------
    config : Config
    clock : Clock
    folder : Path
        Of the ledgers.
    """

    asks_again = False

    def __init__(self, config: Config, clock: Clock, folder: Path) -> None:
        self.channels = {
            channel: Service(_ruled(config, f"sqlite:///{folder / channel}.sqlite"), clock)
            for channel in dict.fromkeys(CHANNELS.values())
        }
        self._told: list[Report] = []
        self._said: list[Word] = []

    def begin(self, plan: Plan, rows: Mapping[str, bytes], systems: Sequence[str]) -> None:
        """Let every channel take up everybody; see ``Service.begin``."""
        for each in self.channels.values():
            each.begin(plan, rows, systems)

    def ask(
        self, placement: str, customers: Sequence[Mapping[str, Any]], **fields: Any
    ) -> list[dict[str, Any]]:
        """Ask the placement's channel."""
        channel = CHANNELS[placement.removesuffix(FREE)]
        return self.channels[channel].ask(placement, customers, **fields)

    def tell(self, reports: Sequence[Report]) -> None:
        """Tell the channel on which it happened; the others wait for the night."""
        for channel, service in self.channels.items():
            service.tell([one for one in reports if _OWN.get(one.origin, one.origin) == channel])
        self._told += [one for one in reports if one.event in _SHARED]

    def say(self, words: Sequence[Word]) -> None:
        """Note what was said by a link in a mail; the rest waits for the night."""
        for word in words:
            if word.where == "email":
                self.channels["email"].say(word.person, consents=[_said(word)])
        self._said += [word for word in words if word.where != "email"]

    def night(self, now_ts: int) -> None:
        """Tell every channel what the others heard during the day."""
        for channel, service in self.channels.items():
            service.tell([one for one in self._told if _OWN.get(one.origin, one.origin) != channel])
            service.night(now_ts)
        for word in self._said:
            self.channels["email"].say(word.person, consents=[_said(word)])
        self._told, self._said = [], []

    def close(self) -> None:
        """Close every channel."""
        for each in self.channels.values():
            each.close()


def _ruled(config: Config, url: str) -> Config:
    """Return the settings of both: the same placements and rules, over a ledger."""
    replace = msgspec.structs.replace
    return replace(
        config,
        placements=placements(config),
        caps={"product": PRODUCT_CAP, "message": MESSAGE_CAP},
        contact=QUIET,
        consents=ConsentSettings(marketing=False),
        holdouts={},
        # A clock that is moved has no time to wait for: nothing may be answered without the ledger.
        ledger=replace(config.ledger, url=url, read_seconds=10.0, write_seconds=60.0),
    )


def _said(word: Word) -> dict[str, Any]:
    return {
        "purpose": "marketing",
        "channel": "email",
        "given": word.given,
        "source": word.where,
    }


def _pieces(values: Iterable[T], size: int) -> Iterator[list[T]]:
    following = iter(values)
    while piece := list(islice(following, size)):
        yield piece
