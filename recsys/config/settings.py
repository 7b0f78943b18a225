"""Every setting of a workspace: its type, its default, and what it means.

Frozen structs, one a section of ``omnibasket.toml``; ``recsys.config`` reads the file into them.
The comments under the fields are what docs/configuration.md explains at length.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import asdict

from recsys.languages import Tag
from recsys.messages import without_secrets

PriceEnding = Annotated[str, Meta(pattern="^[0-9]{1,4}$")]
Positive = Annotated[float, Meta(gt=0)]
Elasticities = Annotated[list[Positive], Meta(min_length=2, max_length=2)]
Count = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="an ISO 4217 code such as EUR")]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", description="an ISO 3166 code such as DE")]
SourceKind = Literal[
    "till_tickets",
    "shopify_orders",
    "woocommerce_orders",
    "order_lines",
    "database",
    "ga4_events",
    "products",
    "locations",
    "stock",
    "customer_links",
]
CheckName = Literal[
    "dates",
    "gaps",
    "volume",
    "products",
    "customers",
    "channels",
    "locations",
    "currencies",
    "events",
    "age",
]
#: Networks that nobody has to themselves on the internet.
PRIVATE = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)
#: What a customer may consent to.
Purpose = Literal["personalisation", "marketing", "profiling"]
ORDER_KINDS = ("till_tickets", "shopify_orders", "woocommerce_orders", "order_lines", "database")


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all sections: frozen; unknown settings are errors; no password is ever printed."""

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({said})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        said = asdict(self)
        return [(k, without_secrets(v) if isinstance(v, str) else v) for k, v in said.items()]


class Column(Settings, frozen=True):
    """Where a field comes from, when a plain column name is not enough."""

    column: str | None = None
    """Column of the export."""
    columns: list[str] = field(default_factory=list)
    """Several columns joined by ``join``, for example store, date and ticket number."""
    days: list[str] = field(default_factory=list)
    """Of these columns only the day counts: what stands before the first blank or ``T``."""
    join: str = "/"
    """What stands between joined columns."""
    value: str | None = None
    """The same text in every row instead of a column."""
    map: dict[str, str] = field(default_factory=dict)
    """Values of the export → our values. A value that is not listed is a reject."""
    otherwise: str | None = None
    """Our value for what ``map`` does not list, instead of a reject."""
    default: str | None = None
    """Taken where the column is empty."""
    pad: Annotated[int, Meta(ge=0, le=64)] = 0
    """Width to fill with zeros on the left, for ids that lost their leading zeros."""
    times: Positive = 1.0
    """Factor for numbers, for example 0.01 where prices are in cents."""
    decimal: Literal[".", ","] | None = None
    """Decimal sign of this column's numbers; the source's by default."""


class Source(Settings, frozen=True):
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
    time_format: str | list[str] | None = None
    """strptime format of times, where they are not ISO 8601; of several, the first that fits. Of
    numbers: ``unix``, ``unix_ms`` or ``unix_us`` (since 1970, UTC), ``excel`` (serial days)."""
    currency: Currency | None = None
    """ISO 4217 code; the workspace's by default."""
    encoding: str = "utf-8"
    """Encoding of text files; a byte order mark is always understood."""
    delimiter: str | None = None
    """Column separator; found from the header by default."""
    header_line: Count | None = None
    """Line of the column names, from 1; found by itself by default, past titles above it."""
    decimal: Literal[".", ","] | None = None
    """Decimal sign of numbers; told of each column from all of its values by default."""
    country: Country | None = None
    """Country of phone numbers without a country code; the workspace's by default."""
    recency: Literal["content", "name", "read"] = "content"
    """What makes an export the later one: the newest time in it, the date in its file's name, or
    the order in which it was read."""
    orders: Literal["whole", "split"] = "whole"
    """``whole``: a later export of an order replaces it. ``split``: the lines of one order may
    lie in several files; needs ``line_no``, and a later export of a line replaces that line."""
    fill_down: list[str] = field(default_factory=list)
    """Columns that stand on an order's first row only; the first of them tells where one begins."""
    columns: dict[str, str | Column] = field(default_factory=dict)
    """Field → column of the export."""
    identifiers: dict[str, str | Column] = field(default_factory=dict)
    """Identifier type → column that names the customer."""
    consents: dict[Purpose, dict[str, str | Column]] = field(default_factory=dict)
    """Purpose → channel, or ``all`` → column that says whether the customer consents."""

    @property
    def specs(self) -> dict[str, str | Column]:
        """How every field, identifier and consent is read, by its place in the section."""
        places: dict[str, str | Column] = {f"columns.{k}": v for k, v in self.columns.items()}
        places |= {f"identifiers.{kind}": spec for kind, spec in self.identifiers.items()}
        for purpose, by_channel in self.consents.items():
            places |= {f"consents.{purpose}.{name}": spec for name, spec in by_channel.items()}
        return places

    @property
    def mapped(self) -> frozenset[str]:
        """Every column of the export that a field, identifier or consent is read from."""
        names: set[str] = set()
        for spec in self.specs.values():
            if isinstance(spec, str):
                names.add(spec)
            else:
                names.update(spec.columns, [] if spec.column is None else [spec.column])
        return frozenset(names)


class WorkspaceSettings(Settings, frozen=True):
    """What the whole workspace shares."""

    name: str = "workspace"
    """Shown in answers and reports."""
    currency: Currency = "EUR"
    """ISO 4217 code of amounts that do not say theirs."""
    time_zone: str = "UTC"
    """IANA zone of times without an offset."""
    country: Country | None = None
    """ISO 3166 code of the country of phone numbers without a country code; the time zone's by
    default."""
    language: Tag = "en"
    """Language of answers and pages where neither the request nor the placement says one."""
    state: str = ".omnibasket"
    """Folder of histories, artefacts and the ledger."""


class RuleSettings(Settings, frozen=True):
    """Which order lines are left out of the history, and said so in the summary."""

    non_product_ids: list[str] = field(default_factory=list)
    """Item ids that are not products: postage, fees, gift cards, samples. ``*`` and ``?`` match."""
    non_product_titles: list[str] = field(default_factory=list)
    """Titles of such lines. ``*`` and ``?`` match, case does not matter."""
    non_product_categories: list[str] = field(default_factory=list)
    """Departments or categories of such products. ``*`` and ``?`` match."""
    free_lines: Literal["leave_out", "keep"] = "leave_out"
    """Lines whose shelf price is zero: samples, gifts, stock corrections."""


class IngestSettings(Settings, frozen=True):
    """How exports are read."""

    max_reject_share: Share = 0.1
    """An export with a larger share of rejected rows fails the ingest: its mapping is wrong."""
    memory_mb: Annotated[int, Meta(ge=128)] = 1024
    """Memory the engine may use before it spills to disk."""
    threads: Count = 2
    """Threads the engine may use."""
    return_window_days: Positive = 365.0
    """How long after a purchase a return without a reference may still belong to it."""
    anonymous_orders: Positive = 4.0
    """Live orders of nobody in a day beyond so many usual days' orders are set aside."""


class IdentitySettings(Settings, frozen=True):
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
    """How many identifiers of a type one customer may have. A type that is not named here keeps
    its default."""
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
    for shared (a till's default card) and blocked. For ``device``: how many logins. A type that is
    not named here keeps its default."""
    blocked: dict[str, list[str]] = field(default_factory=dict)
    """Values that name nobody, by type. ``*`` and ``?`` match."""
    undone: list[str] = field(default_factory=list)
    """``link_id`` of links that must not join."""
    plain: list[str] = field(default_factory=list)
    """Types that are no personal data and are stored readable."""


PeerName = Literal["popular", "own_frequency", "item_knn", "als"]


class TrainSettings(Settings, frozen=True):
    """How training runs and is judged."""

    test_days: Count = 28
    """Length of the test window at the end of the history."""
    validation_days: Count = 28
    """Length of the window before it, on which ranking is learned."""
    test_windows: Count = 1
    """Test windows one before the other, where the history has room; each costs a fit."""
    validation_windows: Count = 1
    """Windows before each test window on which weights are learned; each costs a fit."""
    peers: list[PeerName] = field(
        default_factory=lambda: ["popular", "own_frequency", "item_knn", "als"]
    )
    """What is measured beside: popular, own_frequency, item_knn, als."""
    peer_settings: Annotated[int, Meta(ge=1, le=8)] = 2
    """Settings tried for each of them on the validation window."""
    retune_every: Count = 5
    """One in so many trainings tries them; the others keep what it found."""
    seed: int = 0
    """Seed of everything random."""
    threads: Count = 2
    """Threads that models may use."""
    choice_price_ratio: Annotated[float, Meta(ge=1)] = 1.5
    """Products of one title and brand are one choice where one costs no more than so many times
    what the other does."""
    keep: Count = 5
    """Versions kept; older ones are removed, but for the current one and the one before it."""
    keep_days: Annotated[float, Meta(ge=0)] = 0.0
    """Versions that are not older than this are kept as well."""
    keep_runs: Count = 50
    """Records of runs kept; those of versions that are kept stay as well."""


class PublishSettings(Settings, frozen=True):
    """When a new version becomes current."""

    guard: dict[str, Share] = field(
        default_factory=lambda: {"ndcg@10": 0.03, "new_ndcg@10": 0.1, "coverage@10": 0.25}
    )
    """By what share a metric may be worse than the current version's, by metric; 1 lets everything
    pass. A metric that is not named here keeps its default."""
    segments: list[str] = field(default_factory=lambda: ["all"])
    """For whom it is guarded: ``all``, and channels."""


class CheckSettings(Settings, frozen=True):
    """What the latest part of a history must look like for training to begin."""

    recent_days: Count = 7
    """Length of the part that is judged; whole weeks, or weekends pass for a change."""
    past_periods: Annotated[int, Meta(ge=4)] = 8
    """So many periods before it, of the same length, say what is usual; at least half of them
    must lie in the history."""
    min_volume: Share = 0.5
    """Orders, as a share of what is usual."""
    max_volume: Annotated[float, Meta(ge=1)] = 4.0
    """The same, upwards."""
    unknown_products: Share = 0.1
    """By how much the share of lines may rise whose product no product export names."""
    unknown_customers: Share = 0.2
    """By how much the share of lines may rise that name no customer."""
    silent_days: Count = 7
    """So many days without an order make a channel or location silent that sold regularly."""
    gap_days: Count = 14
    """So many days without an order, between others, are a gap."""
    max_age_days: Positive | None = None
    """How long ago the last order may be."""
    warn: list[CheckName] = field(default_factory=list)
    """Checks that warn only, by name."""


class BundleSettings(Settings, frozen=True):
    """Which products are suggested to be sold together, and at what price."""

    min_support: Annotated[int, Meta(ge=2)] = 10
    """Baskets that hold all products of a bundle, at least."""
    false_discovery_rate: Annotated[float, Meta(gt=0, lt=1)] = 0.05
    """Largest share of suggested bundles that may be there by chance."""
    max_size: Annotated[int, Meta(ge=2, le=4)] = 4
    """Products of a bundle, at most."""
    max_bundles: Annotated[int, Meta(ge=1, le=100_000)] = 2_000
    """Bundles kept, those with the strongest evidence."""
    within_days: Positive = 28.0
    """Days within which something bought later counts as bought after something else."""
    margin_floor: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of a bundle's price that must be left after its cost."""
    max_discount: Annotated[float, Meta(gt=0, lt=1)] = 0.3
    """Largest discount that is suggested, as a share of the members' prices."""
    min_discount: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    """Smallest discount that is suggested: nobody changes their mind for less."""
    price_endings: list[PriceEnding] = field(default_factory=lambda: ["99", "95", "00"])
    """What suggested prices end in, minor units, where any such price is allowed."""
    min_month: Annotated[float, Meta(ge=0)] = 1.0
    """Margin that a bundle must be expected to add a month to be worth a decision. Major unit."""
    min_lift: Annotated[float, Meta(ge=0)] = 1.5
    """Low end of the lift from which a bundle is worth a decision."""
    same_category_above: Annotated[float, Meta(ge=0, le=1)] = 0.99
    """Share of the bundles across categories that two products of one must be above, by lift."""
    sample_share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """Share of the business that the history holds; estimates are divided by it."""
    response: Elasticities = field(default_factory=lambda: [1.5, 4.0])
    """Price elasticities between which the answer to a lower price is assumed to lie."""


class ServeSettings(Settings, frozen=True):
    """The HTTP service."""

    host: str = "127.0.0.1"
    """Address to bind to. Without keys only loopback is allowed."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8470
    """Port to listen on."""
    workers: Count = 2
    """Processes that answer."""
    clock: Literal["now", "history"] = "now"
    """``history``: time goes on from the end of the history, for a demo or a replay."""
    proxies: list[str] = field(default_factory=lambda: list(PRIVATE))
    """Networks of proxies: one of these is believed for whom it asks (``X-Forwarded-For``)."""
    stale_days: Annotated[float, Meta(ge=0)] = 30.0
    """``/readyz`` tells of a model that learned nothing of so many days; 0: of none."""
    example_shop: bool = False
    """Serve the example shop under /shop, as long as no key is needed."""
    aisle_pages: bool = False
    """Serve products' pages for a store's aisle under /p, to everybody."""


class StockSettings(Settings, frozen=True):
    """What of a location's stock is trusted."""

    max_age_hours: Annotated[float, Meta(ge=0, le=87_600)] = 0.0
    """Stock that was reported longer before a question is unknown to it; 0: it never is."""


class LedgerSettings(Settings, frozen=True):
    """Where events, histories and exposures are written."""

    url: str | None = None
    """SQLAlchemy URL; a SQLite file in the state folder by default. ``env:NAME`` reads it from
    the environment."""
    read_seconds: Annotated[float, Meta(gt=0, le=10)] = 0.1
    """What an answer reads of the ledger may take so long; then it is a stranger's."""
    write_seconds: Annotated[float, Meta(gt=0, le=60)] = 2.0
    """What must be written before it is answered is refused after so long without the ledger."""
    exposure_days: Annotated[float, Meta(ge=0)] = 90.0
    """What was shown is forgotten after so many days; 0: never."""
    look_days: Annotated[float, Meta(ge=0)] = 365.0
    """Who looked at a customer is forgotten after so many days; 0: never."""
