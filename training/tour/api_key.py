"""Looks whether a key opens everything that the tour asks for.

A workspace and the key that the tour was given come in; nothing goes out, or an error that says
what the key lacks. Called by the tour before it starts the service.
"""

import time

from recsys.config import Config
from recsys.errors import ConfigError
from recsys.ledger import Ledger, find_key

#: Environment variable of the key, as ``--key``.
VARIABLE = "OMNIBASKET_API_KEY"
#: What the tour does needs these scopes.
_SCOPES = ("recommend", "events", "marketing", "offers")
#: And this one where it asks for a time that is past.
_REPLAY = "admin"


def check_key(config: Config, secret: str | None, *, replays: bool) -> None:
    """See that the service will answer the tour.

    Parameters
    ----------
    config : Config
    secret : str or None
        The key; None where none was given.
    replays : bool
        Whether the tour asks for a time that is past.

    Raises
    ------
    ConfigError
        When the workspace has keys, and this is none of them or lacks something.
    """
    ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
    try:
        keys = {key.key_id: key for key in ledger.keys.all()}
    finally:
        ledger.close()
    if not keys:
        return
    scopes = (*_SCOPES, *([_REPLAY] if replays else []))
    make = "`omnibasket keys create --name tour --scope " + ",".join(scopes) + "`"
    if secret is None:
        raise ConfigError(
            f"this workspace's service answers only who has a key: give one with --key, or in "
            f"{VARIABLE}. {make} makes one that opens all that the tour asks for."
        )
    key = find_key(keys, secret)
    state = "unknown" if key is None else key.state(time.time())
    if key is None or state != "valid":
        raise ConfigError(f"--key: the key is {state}. {make} makes one.")
    if lacking := [scope for scope in scopes if scope not in key.grant.scopes]:
        raise ConfigError(
            f"--key: the key {key.key_id} lacks the scope {', '.join(lacking)}. {make} makes one."
        )
    if key.grant.channels or key.grant.locations or key.grant.origins:
        raise ConfigError(
            f"--key: the key {key.key_id} is for some channels, locations or pages only, and the "
            f"tour asks for all. {make} makes one that is not."
        )
