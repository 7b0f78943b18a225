"""Learns how customers tire of what they are shown, from the ledger.

In: exposures and clicks that the service wrote. Out: what the manifest says of it. Called by
``train``.
"""

from collections.abc import Callable
from typing import Any, Final

from recsys.config import Config
from recsys.decisions import fit_rotation
from recsys.errors import LedgerError
from recsys.ledger import Ledger

#: Clicks that are needed to learn anything.
MIN_CLICKS: Final = 200


def learned_rotation(config: Config, includes: Callable[[str], bool]) -> dict[str, Any]:
    """Learn the decay of ``[rotation]``.

    Parameters
    ----------
    config : Config
    includes : callable
        Whether a customer may be learned from, as ``Learnable.includes``.

    Returns
    -------
    dict
        ``rotation`` with ``decay``, ``log_decay_error``, ``showings`` and ``clicks``, or with
        ``error`` where the ledger could not be read; empty where it is off, or there are too few
        clicks.
    """
    settings = config.rotation
    if not (settings.enabled and settings.learn):
        return {}
    try:
        ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    except LedgerError:
        return {}  # nobody has been shown anything
    try:
        showings = ledger.exposures.showings(settings.half_life_days, includes)
    except LedgerError as error:  # the rest of the training is worth publishing
        return {"rotation": {"error": str(error)}}
    finally:
        ledger.close()
    if int(showings.clicked.sum()) < MIN_CLICKS:
        return {}
    return {"rotation": fit_rotation(showings, settings.decay)._asdict()}
