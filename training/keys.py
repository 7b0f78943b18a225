"""``omnibasket keys``: who may ask the service, and for what.

Writes to the ledger; running services take up what changed within a second.
"""

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click

from recsys.config import Config, load_config, unknown_name
from recsys.errors import ConfigError
from recsys.history import History, current_version
from recsys.ledger import BROWSER_SCOPES, SCOPES, Grant, Key, Ledger
from recsys.schema import CHANNELS
from training.console import emit_json, json_option, output, table, workspace_option

#: ``scheme://host[:port]`` as browsers send it: lower case, no path, no default port.
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
_DAYS = re.compile(r"(\d{1,5})d")


@click.group()
def command() -> None:
    """Say who may ask the service, and for what.

    Without any key the service answers on this machine only. From the first key on, every call
    under /v1 needs one, and the service may listen on any address.
    """


@command.command(
    epilog="""\b
For example:
  omnibasket keys create --name shop --scope recommend,events --channel web
  omnibasket keys create --name page --scope recommend,events --origin https://shop.example
  omnibasket keys create --name kiosk --scope recommend --channel store_screen --location 367"""
)
@workspace_option
@click.option("--name", default="", help="What it is for, for people.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help=f"What it allows, repeatable or with commas: {', '.join(SCOPES)}.",
)
@click.option("--channel", multiple=True, help="Only for this channel; repeatable.")
@click.option("--location", multiple=True, help="Only for this location; repeatable.")
@click.option(
    "--origin",
    multiple=True,
    metavar="URL",
    help="For a page of this web origin, as https://shop.example; repeatable.",
)
@click.option("--expires", metavar="WHEN", help="An ISO 8601 time, or days from now as 90d.")
@json_option
def create(
    workspace: Path,
    name: str,
    scopes: tuple[str, ...],
    channel: tuple[str, ...],
    location: tuple[str, ...],
    origin: tuple[str, ...],
    expires: str | None,
    as_json: bool,
) -> None:
    """Make a key and show it, once.

    Scopes do not include one another: a key that replays questions of the past (`as_of`) needs
    recommend and admin. A key with --origin stands in a page where anybody can read it, so it
    may only ask for visits and strangers, and report events that name nobody. A key that is only
    for the channel store_screen sees public placements alone.
    """
    now_ts = int(time.time())
    wanted = _known("--scope", _split(scopes), SCOPES)
    if origin and (more := [scope for scope in wanted if scope not in BROWSER_SCOPES]):
        raise ConfigError(
            f"--origin: a page's key can be read by anybody, so it is for "
            f"{' and '.join(BROWSER_SCOPES)} only, not for {', '.join(more)}."
        )
    grant = Grant(
        scopes=wanted,  # type: ignore[arg-type]  # checked against SCOPES
        name=name,
        channels=_known("--channel", _split(channel), CHANNELS),
        locations=tuple(dict.fromkeys(location)),
        origins=tuple(dict.fromkeys(_origin(text) for text in origin)),
        expires_ts=None if expires is None else _moment(expires, now_ts),
    )
    config = load_config(workspace)
    ledger = Ledger.open(config.ledger_url, currency=config.workspace.currency)
    try:
        if grant.locations:
            _check_locations(grant.locations, _known_locations(config, ledger))
        key_id, secret = ledger.keys.create(grant, now_ts)
    finally:
        ledger.close()
    if as_json:
        emit_json({"key_id": key_id, "key": secret, **_grant_fields(grant)})
        return
    say = partial(output().print, markup=False, soft_wrap=True)
    say(secret)
    say(f"This is key {key_id}. Keep it now: only its hash is stored, and it is not shown again.")
    say("Callers send it as the header `Authorization: Bearer KEY`.")


@command.command("list")
@workspace_option
@json_option
def list_keys(workspace: Path, as_json: bool) -> None:
    """List the keys, revoked and expired ones too."""
    config = load_config(workspace)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        keys = ledger.keys.all()
    finally:
        ledger.close()
    now_ts = time.time()
    if as_json:
        emit_json([_row(key, now_ts) for key in keys])
    elif not keys:
        output().print("There are no keys: the service answers on this machine only.")
    else:
        heads = ("key", "name", "state", "scopes", "limited to", "created", "expires")
        output().print(table(heads, [_cells(key, now_ts) for key in keys]))


@command.command()
@click.argument("key_id")
@workspace_option
@json_option
def revoke(key_id: str, workspace: Path, as_json: bool) -> None:
    """Void a key for good; running services refuse it within a second."""
    config = load_config(workspace)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        done = ledger.keys.revoke(key_id, int(time.time()))
    finally:
        ledger.close()
    if as_json:
        emit_json({"key_id": key_id, "revoked": True, "before": not done})
    else:
        what = "is revoked." if done else "was revoked before."
        output().print(f"Key {key_id} {what}", markup=False)


def _split(values: Iterable[str]) -> tuple[str, ...]:
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _known(option: str, values: tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    for value in values:
        if value not in known:
            raise ConfigError(f"{option}: {unknown_name(value, known)}")
    if option == "--scope" and not values:
        raise ConfigError(f"{option}: name at least one of {', '.join(known)}.")
    return values


def _known_locations(config: Config, ledger: Ledger) -> set[str]:
    """Return the ids of locations that an export, an order or the back office told of."""
    known = {location.location_id for location, _ in ledger.backoffice.since(0).locations}
    if current_version(config) is None:
        return known
    return known.union(History.open(config).table("locations")["location_id"].to_pylist())


def _check_locations(wanted: tuple[str, ...], known: set[str]) -> None:
    """Refuse locations that there are not: such a key would answer nothing, or too much."""
    for location_id in wanted:
        if location_id not in known:
            advice = (
                unknown_name(location_id, sorted(known), "location ") if known else "none is known."
            )
            raise ConfigError(
                f"--location: {advice} Locations are known once an export of them or of orders "
                "was ingested, or PUT /v1/locations told of them."
            )


def _origin(text: str) -> str:
    """Check a web origin and bring it into the form that browsers send."""
    origin = text.strip().lower().rstrip("/")
    scheme = origin.partition(":")[0]
    default = {"https": ":443", "http": ":80"}.get(scheme)
    if default is not None:
        origin = origin.removesuffix(default)
    if not _ORIGIN.fullmatch(origin):
        raise ConfigError(
            f"--origin: `{text}` is no web origin. Write scheme and host, and the port where it "
            "is not the usual one, as https://shop.example."
        )
    return origin


def _moment(text: str, now_ts: int) -> int:
    days = _DAYS.fullmatch(text)
    try:
        if days is not None:
            return int((datetime.fromtimestamp(now_ts, UTC) + timedelta(int(days[1]))).timestamp())
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"--expires: `{text}` is no ISO 8601 time such as 2030-01-31, nor days such as 90d."
        ) from None
    moment = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    if moment <= now_ts:
        raise ConfigError(f"--expires: {text} is over.")
    return moment


def _grant_fields(grant: Grant) -> dict[str, object]:
    return {
        "name": grant.name,
        "scopes": list(grant.scopes),
        "channels": list(grant.channels),
        "locations": list(grant.locations),
        "origins": list(grant.origins),
        "expires": _time(grant.expires_ts),
    }


def _row(key: Key, now_ts: float) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "state": key.state(now_ts),
        "created": _time(key.created_ts),
        "revoked": _time(key.revoked_ts),
        **_grant_fields(key.grant),
    }


def _cells(key: Key, now_ts: float) -> tuple[str | None, ...]:
    grant = key.grant
    limits = ", ".join([*grant.channels, *grant.locations, *grant.origins])
    times = (_time(key.created_ts), _time(grant.expires_ts))
    return (key.key_id, grant.name, key.state(now_ts), ", ".join(grant.scopes), limits, *times)


def _time(ts: int | None) -> str | None:
    return None if ts is None else datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
