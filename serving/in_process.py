"""The service's answers without a server, for commands that ask many questions or old ones.

In: a workspace's settings. Out: what the service would answer, by the same code; nothing is
written, except by ``call``. Called by ``training.mailing``, ``training.replay`` and
``training.week``.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import orjson
from flask import g

from recsys.config import Config
from recsys.decisions import Suppression
from recsys.errors import ArtefactError, ConfigError, DataError
from recsys.ledger import Customer, Exposure
from recsys.ledger.customers import StoredContact, session_own_id
from recsys.recommender import Engine
from serving.api import batch
from serving.app import create_app
from serving.http import Refusal
from serving.requests import Recipient, deciding
from serving.schemas import CartLine
from serving.state import State


class Replayed(NamedTuple):
    """What an earlier question is answered now, as of then."""

    answer: dict[str, Any]
    model_version: str
    """Of the model that answers now."""


class Called(NamedTuple):
    """What a call was answered."""

    status: int
    """Of HTTP."""
    body: Any
    """The answer, or the problem, read from JSON."""


class InProcess:
    """The service of a workspace, in this process; a context manager.

    Parameters
    ----------
    config : Config

    Raises
    ------
    ConfigError, LedgerError
        As of ``create_app``.
    ArtefactError
        When there is no model.
    """

    def __init__(self, config: Config) -> None:
        self._app = create_app(config, background=False)
        self.state: State = self._app.extensions["omnibasket"]
        if self.state.engine is None:
            self.state.close()
            raise ArtefactError(f"No model: {self.state.model_error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.state.close()

    def set_clock(self, now_ts: int) -> None:
        """Let the service's time go on from a moment.

        Parameters
        ----------
        now_ts : int
            UTC epoch seconds.
        """
        self.state.shift_seconds = now_ts - int(time.time())

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Called:
        """Make a call as over HTTP. What it writes is in the ledger when this returns.

        Parameters
        ----------
        method : str
        path : str
            With its query.
        body : optional
            Sent as JSON.
        headers : mapping of str to str, optional
        """
        client = self._app.test_client()
        answer = client.open(path, method=method, json=body, headers=dict(headers or {}))
        self.state.flush()
        return Called(answer.status_code, orjson.loads(answer.data))

    def batch(
        self, placement: str, customer_ids: Sequence[str], **fields: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield what a batch would be answered, a line a customer; nobody sees it.

        Parameters
        ----------
        placement : str
        customer_ids : sequence of str
            At most 1,000.
        fields
            Further fields of ``POST /v1/recommendations/batch``.
        """
        customers = [{"customer_id": customer_id} for customer_id in customer_ids]
        body = {"placement": placement, "customers": customers, **fields, "dry_run": True}
        asked = self._app.test_request_context(
            "/v1/recommendations/batch", method="POST", json=body
        )
        with asked:
            g.caller, g.request_id = None, "in-process"
            for line in batch.post().iter_encoded():
                for one in line.splitlines():
                    yield orjson.loads(one)

    def replay(self, shown: Exposure, engine: Engine | None = None) -> Replayed:
        """Answer an earlier question again, as of then.

        Parameters
        ----------
        shown : Exposure
            What was shown, from the ledger.
        engine : Engine, optional
            Of the version that answered; the current one by default.

        Raises
        ------
        ConfigError
            When its placement is not there any more.
        DataError
            When the customer does not consent to it any more.
        """
        state = self.state
        engine = engine or state.loaded()
        settings = state.config.placement(shown.placement)
        if settings is None:
            raise ConfigError(f"the placement `{shown.placement}` is not there any more.")
        decision = shown.decision
        asked = {} if decision is None else decision.asked
        delivery = deciding.Delivery(shown.placement, settings, is_shown=False, is_replay=True)
        try:
            asked_again = deciding.ask(
                state,
                engine,
                delivery,
                self._recipient(shown),
                shown.shown_ts,
                count=asked.get("count"),
                location_id=shown.location_id,
                item_ids=asked.get("item_ids", ()),
                cart=[CartLine(item_id) for item_id in asked.get("cart", ())],
                exclude=asked.get("exclude", ()),
                item_filter=None,
                attributes=(),
                explain=False,
            )
        except Refusal as refusal:
            raise DataError(f"it may not be answered any more: {refusal.detail}") from None
        question = asked_again.question
        if decision is not None and not decision.more_withheld:
            # As it was written down; what was reported late is not known then.
            withheld = (one for one in decision.withheld if one.code != "capped" or one.cap)
            question = msgspec.structs.replace(question, suppression=Suppression((*withheld,)))
        (answer,) = engine.recommend([question], [asked_again.recipient.customer.history])
        return Replayed(answer, engine.version)

    def _recipient(self, shown: Exposure) -> Recipient:
        """Read whom an answer was for, as they were before it."""
        ledger = self.state.ledger
        customer = ledger.customer(
            customer_id=shown.customer_id, session_id=shown.session_id, as_of_ts=shown.shown_ts
        )
        if shown.customer_id is None and shown.session_id is None:
            customer = Customer()
        visit_id = "" if shown.session_id is None else session_own_id(shown.session_id)
        contact = ledger.contacts.state(customer.customer_id or "", visit_id)
        return Recipient(
            customer,
            shown.session_id,
            is_named=shown.customer_id is not None,
            stored=StoredContact(contact.before(shown.shown_ts)),
        )
