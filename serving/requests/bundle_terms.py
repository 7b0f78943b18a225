"""Turns a marketer's request into the terms of a bundle, checked before anything is written.

Called by ``api.bundles``. Nothing is written unless everything about a request is right.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from flask import g
from msgspec import UNSET, UnsetType
from werkzeug.datastructures import ETags

from recsys.bundles import NEXT_STATUSES, Terms
from recsys.errors import StaleError, TransitionError
from recsys.ledger.events import Money
from recsys.recommender.bundles import Suggestions, terms_check
from serving.access import admission
from serving.http import PROBLEM_KINDS, FieldError, Refusal
from serving.schemas import BundlePatch
from serving.state import State

_DEFAULTS: Final = Terms()
#: Fields of a request that are terms under the same name.
_SAME: Final = ("per_customer", "offer_hours", "gives_back", "note")
#: Fields that may change even if the products are no longer sold.
_FREE: Final = ("status", "note")
#: Statuses of bundles with valid offers, or for which offers may be made.
_OFFERED: Final = ("approved", "paused")
_FIRST_YEAR, _LAST_YEAR = 1970, 9999


def decide_terms(
    state: State, suggestions: Suggestions, bundle_id: str, params: BundlePatch, held: ETags
) -> None:
    """Change the terms of a bundle.

    Parameters
    ----------
    state : State
    suggestions : Suggestions
        Must contain the bundle.
    bundle_id : str
    params : BundlePatch
    held : ETags
        ETag of the bundle as the caller read it.

    Raises
    ------
    Refusal
        When the bundle has changed since, or the terms are not valid; nothing is changed then.
    LedgerError
        When it cannot be written.
    """
    bundle, decisions = suggestions.get(bundle_id), state.ledger.decisions
    decision = decisions.get(bundle_id)
    before, revision = (decision.terms, decision.revision) if decision else (_DEFAULTS, 0)
    if not held.contains(str(revision)):
        detail = f"The bundle is at revision {revision}. {PROBLEM_KINDS['bundle-stale'].advice}"
        raise Refusal("bundle-stale", detail)
    currency = suggestions.currency(bundle) or before.currency
    terms = terms_check.with_price(suggestions, bundle_id, merged(before, params, currency))
    if terms == before:
        return
    if before.status in _OFFERED:
        _admit(before)
    _admit(terms)
    if terms.status not in (before.status, *NEXT_STATUSES[before.status]):
        follow = " or ".join(f"`{status}`" for status in NEXT_STATUSES[before.status])
        detail = f"The bundle is `{before.status}`; it may become {follow}."
        raise Refusal("status-impossible", detail, [FieldError("/status", "cannot follow.")])
    faults = terms_check.unshown(before, terms, terms_check.offering_channels(state.config))
    if terms.status == "approved" or _bound(terms) != _bound(before):
        faults = [*terms_check.check_terms(suggestions, bundle_id, terms), *faults]
    _refuse(faults)
    try:
        decisions.change(
            bundle_id,
            bundle.kind,
            bundle.item_ids,
            terms,
            expected_revision=revision,
            by=admission.caller_name(),
            now_ts=state.now_ts(),
        )
    except StaleError:  # by somebody else, since it was read above
        raise Refusal("bundle-stale", PROBLEM_KINDS["bundle-stale"].advice) from None
    except TransitionError as error:
        raise Refusal("status-impossible", str(error)) from None


def merged(before: Terms, params: BundlePatch, currency: str | None) -> Terms:
    """Return terms with the changes of a request; null restores a default.

    Parameters
    ----------
    before : Terms
    params : BundlePatch
    currency : str or None
        Currency of the bundle's products; None if it is not known.

    Raises
    ------
    Refusal
        When a time or an amount is not valid.
    """
    changes: dict[str, Any] = {}
    faults: list[FieldError] = []
    if params.status is not UNSET:
        changes["status"] = params.status
    for name in ("price", "budget"):
        money: Money | UnsetType | None = getattr(params, name)
        if isinstance(money, Money):
            if currency not in (None, money.currency):
                detail = f"is not {currency}, as the products' prices are."
                faults.append(FieldError(f"/{name}/currency", detail))
            currency = changes["currency"] = money.currency
        if money is not UNSET:
            changes[f"{name}_minor"] = money.amount_minor if isinstance(money, Money) else None
    for name in ("starts", "ends"):
        at: datetime | UnsetType | None = getattr(params, f"{name}_at")
        if isinstance(at, datetime) and not _FIRST_YEAR <= at.year < _LAST_YEAR:
            detail = f"is not between the years {_FIRST_YEAR} and {_LAST_YEAR}."
            faults.append(FieldError(f"/{name}_at", detail))
        elif at is not UNSET:
            changes[f"{name}_ts"] = int(at.timestamp()) if isinstance(at, datetime) else None
    for name in ("channels", "locations"):
        names: list[str] | UnsetType | None = getattr(params, name)
        if names is not UNSET:
            changes[name] = tuple(dict.fromkeys(names or ()))
    for name in _SAME:
        value = getattr(params, name)
        if value is not UNSET:
            changes[name] = getattr(_DEFAULTS, name) if value is None else value
    if faults:
        raise Refusal("invalid-request", "The terms are not valid.", faults)
    return msgspec.structs.replace(before, **changes)


def _bound(terms: Terms) -> Terms:
    """Return the part of the terms that must fit the products."""
    return msgspec.structs.replace(terms, **{name: getattr(_DEFAULTS, name) for name in _FREE})


def _refuse(faults: Sequence[terms_check.TermsFault]) -> None:
    """Refuse terms: the first fault gives the problem, and every faulty field is named."""
    if not faults:
        return
    first = faults[0]
    errors = [FieldError(fault.pointer, fault.detail) for fault in faults]
    raise Refusal(first.kind, f"{first.pointer.split('/')[1]}: {first.detail}", errors)


def _admit(terms: Terms) -> None:
    """Refuse a key limited to channels or locations if the bundle is for others too."""
    if g.caller is None:
        return
    grant = g.caller.grant
    if grant.channels and (not terms.channels or not set(terms.channels) <= {*grant.channels}):
        detail = f"This key decides about bundles for {', '.join(grant.channels)} only."
        raise Refusal("channel-forbidden", detail, [FieldError("/channels", "are others too.")])
    if grant.locations and (not terms.locations or not set(terms.locations) <= {*grant.locations}):
        detail = f"This key decides about bundles at {', '.join(grant.locations)} only."
        raise Refusal("location-forbidden", detail, [FieldError("/locations", "are others too.")])
