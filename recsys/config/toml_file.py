"""Settings of a workspace: one TOML file in, frozen and typed settings out.

``load(folder)`` is what every command and notebook begins with. Unknown settings are errors that
name the nearest known one. ``OMNIBASKET_<SECTION>__<SETTING>`` in the environment overrides a
plain setting, for example ``OMNIBASKET_SERVE__PORT=9000``; a command's ``--set`` overrides both.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from recsys.config.contact_settings import (
    CapSettings,
    ConsentSettings,
    ContactSettings,
    HoldoutSettings,
    RotationSettings,
)
from recsys.config.errors import explain_error, unknown_name
from recsys.config.limit_settings import LimitSettings
from recsys.config.model_settings import ModelSettings, RankerSettings
from recsys.config.offer_settings import OfferSettings
from recsys.config.placement_rules import check_products, with_time_zone
from recsys.config.placement_settings import PLACEMENTS, PlacementSettings
from recsys.config.settings import (
    ORDER_KINDS,
    BundleSettings,
    CheckSettings,
    Column,
    IdentitySettings,
    IngestSettings,
    LedgerSettings,
    PublishSettings,
    RuleSettings,
    ServeSettings,
    Settings,
    Source,
    SourceKind,
    StockSettings,
    TrainSettings,
    WorkspaceSettings,
)
from recsys.config.time_windows import check_zone
from recsys.errors import ConfigError
from recsys.messages import failure, unreadable
from recsys.schema import CHANNELS

__all__ = [
    "FILE_NAME",
    "ORDER_KINDS",
    "PLACEMENTS",
    "BundleSettings",
    "CheckSettings",
    "Column",
    "Config",
    "IdentitySettings",
    "IngestSettings",
    "LedgerSettings",
    "LimitSettings",
    "ModelSettings",
    "PlacementSettings",
    "PublishSettings",
    "RankerSettings",
    "RuleSettings",
    "ServeSettings",
    "Settings",
    "Source",
    "SourceKind",
    "StockSettings",
    "TrainSettings",
    "WorkspaceSettings",
    "config_from_environment",
    "load_config",
    "parse_config",
]

FILE_NAME = "omnibasket.toml"
_PREFIX = "OMNIBASKET_"


class Config(Settings, frozen=True):
    """Everything in ``omnibasket.toml``."""

    workspace: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    sources: dict[str, Source] = field(default_factory=dict)
    rules: RuleSettings = field(default_factory=RuleSettings)
    ingest: IngestSettings = field(default_factory=IngestSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    ranker: RankerSettings = field(default_factory=RankerSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    bundles: BundleSettings = field(default_factory=BundleSettings)
    offers: OfferSettings = field(default_factory=OfferSettings)
    checks: CheckSettings = field(default_factory=CheckSettings)
    publish: PublishSettings = field(default_factory=PublishSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    stock: StockSettings = field(default_factory=StockSettings)
    placements: dict[str, PlacementSettings] = field(default_factory=dict)
    caps: dict[str, CapSettings] = field(default_factory=dict)
    consents: ConsentSettings = field(default_factory=ConsentSettings)
    holdouts: dict[str, HoldoutSettings] = field(default_factory=dict)
    contact: ContactSettings = field(default_factory=ContactSettings)
    rotation: RotationSettings = field(default_factory=RotationSettings)
    folder: Path = Path()
    """Where the file lies; set by ``load_config``, not in the file."""

    @property
    def state(self) -> Path:
        """Folder of histories, artefacts and the ledger."""
        return self.folder / self.workspace.state

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        if self.ledger.url is None:
            return f"sqlite:///{self.state / 'ledger.sqlite'}"
        return config_from_environment(self.ledger.url, "ledger.url")

    @property
    def order_systems(self) -> list[str]:
        """Systems whose orders are exported, sorted; they name an order ``<system>:<number>``."""
        of = self.sources.items()
        return sorted({source.system or name for name, source in of if source.kind in ORDER_KINDS})

    def placement(self, name: str) -> PlacementSettings | None:
        """Settings of a placement: the workspace's own, or the built-in one.

        Parameters
        ----------
        name : str
            As requests name it, for example ``web_home``.

        Returns
        -------
        PlacementSettings or None
            None where neither the workspace nor ``PLACEMENTS`` has it.
        """
        return self.placements.get(name) or PLACEMENTS.get(name)


def load_config(folder: str | Path = ".", overrides: Sequence[str] = ()) -> Config:
    """Read a workspace's settings.

    Parameters
    ----------
    folder : str or Path
        The workspace, or its ``omnibasket.toml``.
    overrides : sequence of str
        ``models.als.factors=64``: a setting and its value, in TOML or, where it is none, as text.

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
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"{path}: no such file. Make one with `omnibasket init`, or name the workspace's "
            "folder with --workspace."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {failure(error, named=False)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.") from None
    return parse_config(raw, path, overrides)


def parse_config(raw: dict[str, Any], path: Path, overrides: Sequence[str] = ()) -> Config:
    """Check settings that were read from ``path`` and give them types.

    Parameters
    ----------
    raw : dict
        As ``tomllib`` reads the file; what overrides a setting is written into it.
    path : Path
        The file, for messages; the workspace is its folder.
    overrides : sequence of str
        As of ``load_config``; none by default.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        As ``load_config``.
    """
    overridden = _override(raw, [*_from_variables(os.environ), *map(_from_option, overrides)])
    if "folder" in raw:
        raise ConfigError(f"{overridden.get('folder', path)}: unknown setting `folder`.")
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        where, message = explain_error(raw, Config, "") or ("", f"{unreadable(error)}.")
        origin = overridden.get(where, path)
        place = f"{origin}: {where}" if where else f"{origin}"
        raise ConfigError(f"{place}: {message}") from None
    zone = config.workspace.time_zone
    placements = {name: with_time_zone(one, zone) for name, one in config.placements.items()}
    config = msgspec.structs.replace(config, placements=placements)
    try:
        _check(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    identity = msgspec.structs.replace(
        config.identity,
        limits=IdentitySettings().limits | config.identity.limits,
        max_degree=IdentitySettings().max_degree | config.identity.max_degree,
    )
    publish = msgspec.structs.replace(
        config.publish, guard=PublishSettings().guard | config.publish.guard
    )
    return msgspec.structs.replace(config, folder=path.parent, identity=identity, publish=publish)


def config_from_environment(value: str, setting: str) -> str:
    """Resolve ``env:NAME`` to the variable's value; other values are returned as they are.

    Parameters
    ----------
    value : str
        As the file has it.
    setting : str
        Its dotted path, for the message of an error.

    Returns
    -------
    str
        What to use in its place.

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


def _check(config: Config) -> None:
    """Refuse what types alone cannot see."""
    check_zone("workspace.time_zone", config.workspace.time_zone)
    for name, source in config.sources.items():
        _check_source(name, source)
    for network in config.serve.proxies:
        _check_network("serve.proxies", network)
    for segment in config.publish.segments:
        _known("publish.segments", segment, ("all", *CHANNELS))
    for name, placement in config.placements.items():
        _check_name(f"placements.{name}", "placement", name)
        _known(f"placements.{name}.channel", placement.channel, CHANNELS)
        for model in placement.weights:
            _known(f"placements.{name}.weights", model, (*ModelSettings.__struct_fields__, "cart"))
        try:
            check_products(placement)
        except ConfigError as error:
            raise ConfigError(f"placements.{name}.{error}") from None
    placements = {**PLACEMENTS, **config.placements}
    for name, cap in config.caps.items():
        if cap.placements and cap.of != "message":
            raise ConfigError(f'caps.{name}.placements: only with `of = "message"`.')
    every: dict[str, Mapping[str, CapSettings | HoldoutSettings]]
    every = {"caps": config.caps, "holdouts": config.holdouts}
    for where, name, one in ((w, n, o) for w, named in every.items() for n, o in named.items()):
        _check_name(f"{where}.{name}", where.rstrip("s"), name)
        for channel in one.channels:
            _known(f"{where}.{name}.channels", channel, CHANNELS)
        for placement_name in one.placements:
            _known(f"{where}.{name}.placements", placement_name, placements)
    if (config.contact.quiet_from is None) != (config.contact.quiet_until is None):
        raise ConfigError("contact: quiet hours need both `quiet_from` and `quiet_until`.")


def _check_source(name: str, source: Source) -> None:
    where = f"sources.{name}"
    _check_name(where, "source", name)
    if source.kind == "database":
        if not (source.url and source.query):
            raise ConfigError(f"{where}: a database source needs `url` and `query`.")
    elif not source.path:
        raise ConfigError(f"{where}: `path` is missing: a file, a folder or a glob.")
    if source.channel is not None:
        _known(f"{where}.channel", source.channel, CHANNELS)
    if source.time_zone is not None:
        check_zone(f"{where}.time_zone", source.time_zone)
    if source.orders == "split" and "line_no" not in source.columns:
        raise ConfigError(f'{where}: `orders = "split"` needs a `line_no` column.')
    for place, spec in source.specs.items():
        if isinstance(spec, Column):
            given = (spec.column is not None) + bool(spec.columns) + (spec.value is not None)
            if given != 1:
                needs = "needs exactly one of `column`, `columns`, `value`."
                raise ConfigError(f"{where}.{place}: {needs}")
    for purpose, by_channel in source.consents.items():
        for channel in by_channel:
            _known(f"{where}.consents.{purpose}", channel, ("all", *CHANNELS))


def _check_name(where: str, what: str, name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise ConfigError(f"{where}: a {what}'s name has 1 to 64 letters, digits, `_` and `-`.")


def _check_network(where: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise ConfigError(
            f"{where}: `{text}` is no network. Write it as 10.0.0.0/8, or one address as 10.0.0.7."
        ) from None


def _known(where: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise ConfigError(f"{where}: {unknown_name(value, known)}")


#: Where a setting comes from, for messages; its dotted path; its value.
_Override = tuple[str, list[str], Any]


def _from_variables(environment: Mapping[str, str]) -> list[_Override]:
    """Read ``OMNIBASKET_SECTION__SETTING`` variables."""
    found = []
    for variable, text in sorted(environment.items()):
        parts = variable.removeprefix(_PREFIX).lower().split("__")
        if variable.startswith(_PREFIX) and len(parts) > 1:
            found.append((variable, parts, _value(text)))
    return found


def _from_option(text: str) -> _Override:
    """Read ``models.als.factors=64``; a name with dots or signs is quoted as in TOML."""
    name, found, value = text.partition("=")
    origin = f"--set {text}"
    if not found or not name.strip():
        raise ConfigError(f"{origin}: use SETTING=VALUE, as in models.als.factors=64.")
    try:
        nested: Any = tomllib.loads(f"{name} = 0")
    except tomllib.TOMLDecodeError:
        raise ConfigError(
            f"{origin}: `{name}` is no name of a setting. Put parts with signs into quotes, as in "
            'publish.guard."ndcg@10"=0.1.'
        ) from None
    parts = []
    while isinstance(nested, dict):
        ((part, nested),) = nested.items()
        parts.append(part)
    return origin, parts, _value(value.strip())


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _override(raw: dict[str, Any], overrides: Iterable[_Override]) -> dict[str, str]:
    """Set single settings, in place.

    Returns
    -------
    overridden : dict
        Setting, and each section above it that the file does not have → where it comes from.
    """
    overridden: dict[str, str] = {}
    for origin, parts, value in overrides:
        table = raw
        for ix, part in enumerate(parts[:-1]):
            if part not in table:
                overridden[".".join(parts[: ix + 1])] = origin
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise ConfigError(f"{origin}: `{part}` is not a section.")
        table[parts[-1]] = value
        overridden[".".join(parts)] = origin
    return overridden
