"""Settings of a workspace: one TOML file in, frozen and typed settings out.

``load(folder)`` is what every command and notebook begins with. Unknown settings are errors that
name the nearest known one. ``OMNIBASKET_<SECTION>__<SETTING>`` in the environment overrides a
plain setting for deployment, for example ``OMNIBASKET_SERVE__PORT=9000``.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import Meta, Struct, field

from recsys.errors import ConfigError
from recsys.schema import CHANNELS

FILE_NAME = "omnibasket.toml"

Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
SourceKind = Literal[
    "till_tickets",
    "shopify_orders",
    "order_lines",
    "database",
    "ga4_events",
    "products",
    "locations",
    "stock",
    "customer_links",
]
ORDER_KINDS = ("till_tickets", "shopify_orders", "order_lines", "database")


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: frozen, and unknown settings are errors."""


class Column(Settings):
    """Where a field comes from, when a plain column name is not enough."""

    column: str | None = None
    """Column of the export."""
    columns: list[str] = field(default_factory=list)
    """Several columns joined by ``join``, for example store, date and ticket number."""
    join: str = "/"
    """What stands between joined columns."""
    value: str | None = None
    """The same text in every row instead of a column."""
    map: dict[str, str] = field(default_factory=dict)
    """Values of the export → our values. A value that is not listed is a reject."""
    default: str | None = None
    """Taken where the column is empty."""
    pad: Annotated[int, Meta(ge=0, le=64)] = 0
    """Width to fill with zeros on the left, for ids that lost their leading zeros."""
    times: Positive = 1.0
    """Factor for numbers, for example 0.01 where prices are in cents."""


class Source(Settings):
    """One export: where it lies, what shape it has, and what its columns mean."""

    kind: SourceKind
    """The shape of the export."""
    path: str | None = None
    """A file, a folder or a glob, relative to the workspace."""
    url: str | None = None
    """SQLAlchemy URL of a database; ``env:NAME`` reads it from the environment."""
    query: str | None = None
    """SQL that returns one row an order line."""
    system: str | None = None
    """Sources of one system share order ids; the source's own name by default."""
    channel: str | None = None
    """Channel of every row, where no column says it."""
    location_id: str | None = None
    """Location of every row, where no column says it."""
    time_zone: str | None = None
    """Zone of times without an offset; the workspace's by default."""
    time_format: str | None = None
    """strptime format of times, where they are not ISO 8601."""
    currency: str | None = None
    """ISO 4217 code; the workspace's by default."""
    encoding: str = "utf-8"
    """Encoding of text files; a byte order mark is always understood."""
    delimiter: str | None = None
    """Column separator; found from the header by default."""
    decimal: Literal[".", ","] = "."
    """Decimal sign of numbers."""
    orders: Literal["whole", "split"] = "whole"
    """``whole``: a later export of an order replaces it. ``split``: the lines of one order may
    lie in several files; needs ``line_no``, and a later export of a line replaces that line."""
    columns: dict[str, str | Column] = field(default_factory=dict)
    """Field → column of the export."""
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    """Identifier type → column that names the customer."""


class Workspace(Settings):
    """What the whole workspace shares."""

    name: str = "workspace"
    """Shown in answers and reports."""
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "EUR"
    """ISO 4217 code of amounts that do not say theirs."""
    time_zone: str = "UTC"
    """IANA zone of times without an offset."""
    state: str = ".omnibasket"
    """Folder of histories, artefacts and the ledger."""


class Rules(Settings):
    """Which order lines are left out of the history, and said so in the summary."""

    non_product_ids: list[str] = field(default_factory=list)
    """Item ids that are not products: postage, fees, gift cards, samples. ``*`` and ``?`` match."""
    non_product_titles: list[str] = field(default_factory=list)
    """Titles of such lines. ``*`` and ``?`` match, case does not matter."""
    non_product_categories: list[str] = field(default_factory=list)
    """Departments or categories of such products. ``*`` and ``?`` match."""
    free_lines: Literal["leave_out", "keep"] = "leave_out"
    """Lines whose shelf price is zero: samples, gifts, stock corrections."""


class Ingest(Settings):
    """How exports are read."""

    max_reject_share: Share = 0.1
    """An export with a larger share of rejected rows fails the ingest: its mapping is wrong."""
    memory_mb: Annotated[int, Meta(ge=128)] = 1024
    """Memory the engine may use before it spills to disk."""
    threads: Count = 2
    """Threads the engine may use."""
    return_window_days: Positive = 365.0
    """How long after a purchase a return without a reference may still belong to it."""


class Identity(Settings):
    """What may join two identifiers into one customer."""

    limits: dict[str, int] = field(
        default_factory=lambda: {
            "account": 1,
            "email": 3,
            "phone": 3,
            "loyalty_card": 4,
            "payment_token": 8,
            "device": 10,
        }
    )
    """How many identifiers of a type one customer may have."""
    max_degree: dict[str, int] = field(
        default_factory=lambda: {
            "account": 12,
            "email": 12,
            "phone": 8,
            "loyalty_card": 6,
            "payment_token": 6,
            "device": 1,
        }
    )
    """With how many identifiers of one other type an identifier may be seen before it is taken
    for shared (a till's default card) and blocked. For ``device``: how many logins."""
    blocked: dict[str, list[str]] = field(default_factory=dict)
    """Values that name nobody, by type. ``*`` and ``?`` match."""
    undone: list[str] = field(default_factory=list)
    """``link_id`` of links that must not join."""
    plain: list[str] = field(default_factory=list)
    """Types that are no personal data and are stored readable."""


class Popular(Settings):
    """Most bought lately."""

    half_life_days: Positive = 14.0
    """Age at which a purchase counts half."""
    min_lines: Count = 200
    """Lines a location or channel needs before its own ranking is trusted."""


class Repeat(Settings):
    """What the customer bought before."""

    half_life_days: Positive = 90.0
    """Age at which a purchase counts half."""


class CoPurchase(Settings):
    """Bought together."""

    min_support: Count = 5
    """Baskets a pair needs."""
    neighbours: Count = 50
    """Neighbours kept for each item."""
    shrinkage: Annotated[float, Meta(ge=0)] = 10.0
    """Baskets of doubt added to each pair's count."""
    half_life_days: Positive = 60.0
    """Age at which an item of the history counts half."""


class Als(Settings):
    """Implicit-feedback factors."""

    factors: Count = 64
    """Length of a factor vector."""
    iterations: Count = 15
    """Rounds of alternating least squares."""
    regularization: Annotated[float, Meta(ge=0)] = 0.05
    """λ of Hu, Koren and Volinsky (2008)."""
    alpha: Positive = 2.0
    """Confidence that one purchase adds."""
    half_life_days: Positive = 180.0
    """Age at which a purchase counts half."""


class Models(Settings):
    """Settings of each model."""

    popular: Popular = field(default_factory=Popular)
    repeat: Repeat = field(default_factory=Repeat)
    copurchase: CoPurchase = field(default_factory=CoPurchase)
    als: Als = field(default_factory=Als)


class Train(Settings):
    """How training runs and is judged."""

    test_days: Count = 28
    """Length of the test window at the end of the history."""
    validation_days: Count = 28
    """Length of the window before it, on which blend weights are chosen."""
    seed: int = 0
    """Seed of everything random."""
    threads: Count = 2
    """Threads that models may use."""
    keep: Count = 5
    """Artefacts kept; older ones are removed."""


class Serve(Settings):
    """The HTTP service."""

    host: str = "127.0.0.1"
    """Address to bind to. Without keys only loopback is allowed."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8470
    """Port to listen on."""
    workers: Count = 2
    """Processes that answer."""


class Ledger(Settings):
    """Where events, histories and exposures are written."""

    url: str | None = None
    """SQLAlchemy URL; a SQLite file in the state folder by default. ``env:NAME`` reads it from
    the environment."""


class Placement(Settings):
    """A named slot on a channel."""

    channel: str
    """The channel it is on."""
    count: Annotated[int, Meta(ge=1, le=200)] = 10
    """Items in an answer, unless the request says otherwise."""
    personal: bool = True
    """False: nothing of the customer's history may show, as on a public screen."""
    in_stock: bool = True
    """Only what the location has on hand, where stock is known."""
    hide_bought_days: Annotated[float, Meta(ge=0)] = 1.0
    """Days for which something just bought is not shown again."""
    new_only: bool = False
    """Only items that the customer has never bought."""
    weights: dict[str, float] = field(default_factory=dict)
    """Factor on each model's learned weight, by model: popular, repeat, copurchase, als."""


PLACEMENTS: dict[str, Placement] = {
    "web_home": Placement(channel="web"),
    "web_cart": Placement(channel="web", weights={"copurchase": 3.0}, hide_bought_days=0.0),
    "email_weekly": Placement(channel="email", count=12, hide_bought_days=3.0),
    "store_screen": Placement(channel="store_screen", count=6, personal=False),
}


class Config(Settings):
    """Everything in ``omnibasket.toml``."""

    workspace: Workspace = field(default_factory=Workspace)
    sources: dict[str, Source] = field(default_factory=dict)
    rules: Rules = field(default_factory=Rules)
    ingest: Ingest = field(default_factory=Ingest)
    identity: Identity = field(default_factory=Identity)
    models: Models = field(default_factory=Models)
    train: Train = field(default_factory=Train)
    serve: Serve = field(default_factory=Serve)
    ledger: Ledger = field(default_factory=Ledger)
    placements: dict[str, Placement] = field(default_factory=dict)
    folder: Path = Path()
    """Where the file lies; set by ``load``, not in the file."""

    @property
    def state(self) -> Path:
        """Folder of histories, artefacts and the ledger."""
        return self.folder / self.workspace.state

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        if self.ledger.url is None:
            return f"sqlite:///{self.state / 'ledger.sqlite'}"
        return from_environment(self.ledger.url, "ledger.url")

    def placement(self, name: str) -> Placement | None:
        """Settings of a placement: the workspace's own, or the built-in one."""
        return self.placements.get(name) or PLACEMENTS.get(name)


def load(folder: str | Path = ".") -> Config:
    """Read a workspace's settings.

    Parameters
    ----------
    folder : str or Path
        The workspace, or its ``omnibasket.toml``.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        When the file is missing, is not TOML, or holds a setting that is unknown or impossible.
    """
    path = Path(folder)
    path = path if path.suffix == ".toml" else path / FILE_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file. Make one with `omnibasket init`, or name the workspace's "
            "folder with --workspace."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return parse(raw, path)


def parse(raw: dict[str, Any], path: Path) -> Config:
    """Check settings that were read from ``path`` and give them types.

    Raises
    ------
    ConfigError
        As ``load``.
    """
    if "folder" in raw:
        raise ConfigError(f"{path}: unknown setting `folder`.")
    _override(raw, os.environ)
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error, raw)}") from None
    config = msgspec.structs.replace(config, folder=path.parent)
    for where, name in _zones(config):
        if name not in available_timezones():
            near = difflib.get_close_matches(name, sorted(available_timezones()), 1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise ConfigError(f"{path}: {where}: `{name}` is no IANA time zone.{hint}")
        ZoneInfo(name)
    for name, source in config.sources.items():
        _check_source(path, name, source)
    for name, placement in config.placements.items():
        _known(path, f"placements.{name}.channel", placement.channel, CHANNELS)
        for model in placement.weights:
            _known(path, f"placements.{name}.weights", model, Models.__struct_fields__)
    return config


def from_environment(value: str, setting: str) -> str:
    """Resolve ``env:NAME`` to the variable's value; other values are returned as they are.

    Raises
    ------
    ConfigError
        When the variable is not set.
    """
    if not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if name not in os.environ:
        raise ConfigError(f"{setting}: the environment variable {name} is not set.")
    return os.environ[name]


def _check_source(path: Path, name: str, source: Source) -> None:
    where = f"{path}: sources.{name}"
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise ConfigError(f"{where}: use letters, digits, `_` and `-` in a source's name.")
    if source.kind == "database":
        if not (source.url and source.query):
            raise ConfigError(f"{where}: a database source needs `url` and `query`.")
    elif not source.path:
        raise ConfigError(f"{where}: `path` is missing: a file, a folder or a glob.")
    if source.channel is not None:
        _known(path, f"sources.{name}.channel", source.channel, CHANNELS)
    if source.orders == "split" and "line_no" not in source.columns:
        raise ConfigError(f'{where}: `orders = "split"` needs a `line_no` column.')
    for field_name, spec in {**source.columns, **source.identifiers}.items():
        if isinstance(spec, Column):
            given = (spec.column is not None) + bool(spec.columns) + (spec.value is not None)
            if given != 1:
                raise ConfigError(
                    f"{where}: `{field_name}` needs exactly one of `column`, `columns`, `value`."
                )


def _known(path: Path, where: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, known, 1)
        hint = f"Did you mean `{near[0]}`? " if near else ""
        raise ConfigError(f"{path}: {where}: unknown `{value}`. {hint}Known: {', '.join(known)}.")


def _zones(config: Config) -> list[tuple[str, str]]:
    zones = [("workspace.time_zone", config.workspace.time_zone)]
    for name, source in config.sources.items():
        if source.time_zone is not None:
            zones.append((f"sources.{name}.time_zone", source.time_zone))
    return zones


def _override(raw: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Set plain settings from ``OMNIBASKET_SECTION__SETTING`` variables, in place."""
    for variable, text in sorted(environment.items()):
        parts = variable.removeprefix("OMNIBASKET_").lower().split("__")
        if not variable.startswith("OMNIBASKET_") or len(parts) < 2:
            continue
        table = raw
        for part in parts[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{variable}: `{part}` is not a section.")
        try:
            table[parts[-1]] = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            table[parts[-1]] = text


def _explain(error: msgspec.ValidationError, raw: dict[str, Any]) -> str:
    """Turn msgspec's message into one that names the setting and the nearest known one."""
    text = str(error)
    place = re.search(r" - at `(?:key in )?\$\.?(.*)`$", text)
    where = place.group(1) if place else ""
    message = text[: place.start()] if place else text
    unknown = re.search(r"unknown field `(.+?)`", message)
    if not unknown:
        return f"{where}: {message}." if where else f"{message}."
    name = unknown.group(1)
    known = _fields_at(where, raw)
    near = difflib.get_close_matches(name, known, 1, 0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    section = f"[{where}]: " if where else ""
    return f"{section}unknown setting `{name}`.{hint} Known: {', '.join(sorted(known))}."


def _fields_at(where: str, raw: dict[str, Any]) -> list[str]:
    """Names of the settings that the section ``where`` has."""
    sections: dict[str, type[Settings]] = {
        "": Config, "workspace": Workspace, "rules": Rules, "ingest": Ingest,
        "identity": Identity, "models": Models, "models.popular": Popular,
        "models.repeat": Repeat, "models.copurchase": CoPurchase, "models.als": Als,
        "train": Train, "serve": Serve, "ledger": Ledger,
    }  # fmt: skip
    if where in sections:
        return [name for name in sections[where].__struct_fields__ if name != "folder"]
    if re.match(r"sources.*(columns|identifiers)", where):
        return list(Column.__struct_fields__)
    if where.startswith("sources"):
        return list(Source.__struct_fields__)
    if where.startswith("placements"):
        return list(Placement.__struct_fields__)
    return list(raw)
