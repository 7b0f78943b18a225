"""``omnibasket recommend``: one question, answered in the terminal.

The same ledger and the same engine as the service's, without the service. Nothing is recorded:
it is somebody looking, not a customer being shown something.
"""

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from recsys.artefacts import registry
from recsys.config import Config, PlacementSettings, Purpose, load_config
from recsys.datasets import EMPTY
from recsys.decisions import NOTHING, ContactState, Suppression, refused_uses, suppress
from recsys.identity import KeyedHash
from recsys.ledger import Customer, Ledger
from recsys.ledger.customers import session_own_id
from recsys.ledger.events import Identifier, seal_identifier, seal_session
from recsys.recommender import Engine, Question, find_placement, shift_seconds
from training.console import emit_json, json_option, money, output, table, workspace_option


@click.command(
    epilog="""\b
For example:
  omnibasket recommend --placement web_home --identifier email=ada@example.org
  omnibasket recommend --placement web_cart --cart 1082185 --cart 981760
  omnibasket recommend --placement store_screen --location 367 --count 3"""
)
@workspace_option
@click.option("--placement", required=True, help="Name of the placement, such as web_home.")
@click.option("--customer-id", help="An id that was given out at any time.")
@click.option("--identifier", metavar="TYPE=VALUE", help="Such as email=ada@example.org.")
@click.option("--session", help="Id of a visit; its cart is used unless --cart is given.")
@click.option("--location", help="Store or warehouse that the customer would buy from.")
@click.option("--cart", multiple=True, metavar="ITEM", help="A product in the cart; repeatable.")
@click.option("--item", multiple=True, help="A product being looked at; repeatable.")
@click.option("--exclude", multiple=True, metavar="ITEM", help="Not to be shown; repeatable.")
@click.option("--count", type=click.IntRange(1, 200), help="Items wanted.")
@click.option("--as-of", help="Answer as at this time, ISO 8601; now by default.")
@json_option
def command(
    workspace: Path,
    placement: str,
    customer_id: str | None,
    identifier: str | None,
    session: str | None,
    location: str | None,
    cart: tuple[str, ...],
    item: tuple[str, ...],
    exclude: tuple[str, ...],
    count: int | None,
    as_of: str | None,
    as_json: bool,
) -> None:
    """Answer one question in the terminal.

    Asks the current artefact what to show on a placement: to a customer named by --customer-id
    or --identifier, to the visit named by --session, or to a stranger. Nothing is recorded.
    """
    if customer_id is not None and identifier is not None:
        raise click.UsageError("give --customer-id or --identifier, not both.")
    config = load_config(workspace)
    settings = find_placement(config, placement)
    engine = Engine.load(registry.current(config), stock=config.stock)
    as_of_ts = find_time(as_of, shift_seconds(config, engine.manifest))
    asker = Asker()
    if settings.personal and (customer_id or identifier or session):
        asker = find_customer(config, customer_id, identifier, session, as_of_ts)
        asker = asker.held_to_consents(config, settings, find_now(config, engine))
    customer = asker.customer
    question = Question(
        placement=placement,
        settings=settings,
        as_of_ts=as_of_ts,
        count=count,
        location_id=location,
        item_ids=item,
        cart=cart or tuple(customer.visit.cart),
        exclude=exclude,
        suppression=asker.suppression(config, settings, engine, as_of_ts),
        customer_known=asker.is_known,
    )
    (answer,) = engine.recommend([question], [customer.history])
    if asker.no_consent:
        answer["no_consent"] = asker.no_consent
    if as_json:
        emit_json(answer)
    else:
        _show(answer)


def find_now(config: Config, engine: Engine) -> int:
    """Return the workspace's time, UTC epoch seconds."""
    return find_time(None, shift_seconds(config, engine.manifest))


def find_time(text: str | None, shift_seconds: int) -> int:
    """Read ``--as-of``, UTC epoch seconds; the workspace's time where it is not given."""
    if text is None:
        return int(time.time()) + shift_seconds + 1  # what happened in this very second counts too
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"`{text}` is no ISO 8601 time, such as 2024-03-01T12:00:00Z.", param_hint="--as-of"
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


@dataclass(frozen=True)
class Asker:
    """Whom a question is for: customer and visit, and what was shown to them and refused."""

    customer: Customer = field(default_factory=Customer)
    contact: ContactState = field(default_factory=ContactState)
    session_id: str | None = None
    """The visit's id, sealed."""
    no_consent: tuple[Purpose, ...] = ()
    """What they do not consent to, so that nothing of their history is used."""

    @property
    def is_known(self) -> bool:
        """Whether an answer is for somebody who is known."""
        return self.customer.customer_id is not None and not self.no_consent

    def held_to_consents(self, config: Config, settings: PlacementSettings, now_ts: int) -> "Asker":
        """Return them without their history where they do not consent to its use, as the service.

        Parameters
        ----------
        config : Config
        settings : PlacementSettings
            Of the placement that is asked for.
        now_ts : int
            UTC epoch seconds; consents of now hold for questions of the past, too.
        """
        if self.customer.customer_id is None and self.session_id is None:
            return self
        refused = refused_uses(self.contact.said, settings.channel, now_ts, config.consents)
        if not refused:
            return self
        stranger = msgspec.structs.replace(self.customer, history=EMPTY)
        return replace(self, customer=stranger, no_consent=refused)

    def suppression(
        self, config: Config, settings: PlacementSettings, engine: Engine, as_of_ts: int
    ) -> Suppression:
        """Return what a placement must not show them, as the service does."""
        if self.contact.is_empty or not settings.personal:
            return NOTHING
        zone = config.workspace.time_zone
        channel, caps = settings.channel, config.caps
        return suppress(self.contact, caps, channel, as_of_ts, zone, engine.choices_of)


def find_customer(
    config: Config,
    customer_id: str | None,
    identifier: str | None,
    session: str | None,
    as_of_ts: int,
) -> Asker:
    """Read whom the options name from the ledger."""
    keyed_hash = KeyedHash.load(config)
    named = None
    if identifier is not None:
        kind, equals, value = identifier.partition("=")
        if not equals or keyed_hash.identifier(kind, value) is None:
            raise click.BadParameter(
                "write TYPE=VALUE, such as email=ada@example.org.", param_hint="--identifier"
            )
        named = seal_identifier(Identifier(type=kind, value=value), keyed_hash, config.identity)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    visit = session and seal_session(session, keyed_hash)
    try:
        customer = ledger.customer(
            customer_id=customer_id, identifier=named, session_id=visit, as_of_ts=as_of_ts
        )
        visit_id = session_own_id(visit) if visit else ""
        contact = ledger.contacts.state(customer.customer_id or "", visit_id)
        return Asker(customer, contact, visit)
    finally:
        ledger.close()


def _show(answer: dict[str, Any]) -> None:
    say = partial(output().print, markup=False)
    whom = "a known customer" if answer["customer_known"] else "a stranger"
    say(f"{answer['placement']} for {whom} at {answer['as_of']}, model {answer['model_version']}")
    if refused := answer.get("no_consent"):
        say(f"Without their history: they do not consent to {' and '.join(refused)}.")
    rows = [
        (
            shown["rank"],
            shown["item_id"],
            shown.get("title"),
            money(shown.get("price")),
            shown["score"],
            (shown.get("reason") or {}).get("text"),
        )
        for shown in answer["items"]
    ]
    if rows:
        output().print(table(("rank", "item", "title", "price", "score", "reason"), rows))
    else:
        say("Nothing may be shown.")
    if answer["fallback"]:
        say(f"No personal answer could be given; this is `{answer['fallback']}`.")
    left_out = ", ".join(
        f"{name.replace('_', ' ')} {count}" for name, count in answer["left_out"].items() if count
    )
    if left_out:
        say(f"Left out: {left_out}.")
