"""Exports of well-known systems yield the correct lines, whatever else is in the workspace.

The files beside this module are such exports, one per preset. All are ingested together, once with
the mapping of ``recognise`` and once with that of ``omnibasket init --yes``. The expected lines
were computed by hand. If both mappings of a source are equal, its rows are read only once.
"""

import json
import shutil
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from recsys.config.toml_file import Column, load_config
from recsys.history.versions import History
from training.cli import main
from training.ingest import ingest
from training.init.exports import Export, look
from training.init.presets import Preset, recognise

HERE = Path(__file__).parent
AT = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = {
    "shopify_orders.csv": ("Shopify orders", "shopify_orders"),
    "shopify_products.csv": ("Shopify products", "products"),
    "shopify_inventory.csv": ("Shopify inventory", "stock"),
    "shopify_inventory_wide.csv": ("Shopify inventory (one column per location)", "stock"),
    "woocommerce_items.csv": ("WooCommerce orders (one row per item)", "order_lines"),
    "woocommerce_orders.csv": ("WooCommerce orders (one row per order)", "woocommerce_orders"),
    "woocommerce_algol.csv": ("WooCommerce orders (Advanced Order Export)", "order_lines"),
    "woocommerce_products.csv": ("WooCommerce products", "products"),
    "magento_items.csv": ("Magento order items", "order_lines"),
    "magento_products.csv": ("Magento products", "products"),
    "square_items.csv": ("Square item sales", "till_tickets"),
    "square_catalogue.csv": ("Square item library", "products"),
    "lightspeed_x.csv": ("Lightspeed X-Series sales", "till_tickets"),
    "lightspeed_r.csv": ("Lightspeed R-Series sale lines", "till_tickets"),
    "loyverse_receipts.csv": ("Loyverse receipts by item", "till_tickets"),
    "loyverse_items.csv": ("Loyverse items", "products"),
    "odoo_sale.csv": ("Odoo orders", "order_lines"),
    "odoo_pos.csv": ("Odoo orders", "order_lines"),
    "ga4.ndjson": ("Google Analytics 4 events", "ga4_events"),
    "ga4_array.json": ("Google Analytics 4 events", "ga4_events"),
    "ga4_table.csv": ("Google Analytics 4 events", "ga4_events"),
    "google_merchant.tsv": ("Google Merchant product feed", "products"),
    "google_merchant.xml": ("Google Merchant product feed", "products"),
    "google_inventory.tsv": ("Google Merchant local inventory feed", "stock"),
}
#: Settings that ``init`` derives from values, not from a preset.
TIMES = {"loyverse_receipts.csv": "%m/%d/%y %I:%M %p"}
#: Order without its source → item, kind, quantity, discount and amount of its lines.
LINES: dict[str, dict[str, list[tuple[str, str, float, int, int]]]] = {
    "shopify_orders": {
        "#1001": [("S-FERN-S", "sale", 1, 120, 1080), ("S-MOSS", "sale", 4, 180, 1620)],
        "#1002": [
            ("S-FERN-S", "sale", 1, 0, 1200),
            ("S-MOSS", "return", -1, 0, -450),
            ("S-MOSS", "sale", 2, 0, 900),
        ],
        "#1004": [("S-MOSS", "sale", 1, 0, 450)],
    },
    "woocommerce_items": {
        "810": [("W-FERN", "sale", 2, 0, 2160), ("W-MOSS", "sale", 1, 0, 600)],
        "812": [("W-FERN", "return", -1, 0, -1200), ("W-FERN", "sale", 2, 0, 2400)],
        "814": [("W-MOSS", "sale", 1, 0, 600)],
    },
    "woocommerce_orders": {
        "910": [("W-FERN", "sale", 2, 240, 2160), ("W-MOSS", "sale", 1, 0, 600)],
        "912": [("W-FERN", "return", -2, 0, -2400), ("W-FERN", "sale", 2, 0, 2400)],
        "913": [("W-MOSS", "return", -1, 0, -600), ("W-MOSS", "sale", 2, 0, 1200)],
    },
    "woocommerce_algol": {
        "950": [("W-FERN", "sale", 2, 240, 2160), ("W-MOSS", "sale", 1, 60, 540)],
        "952": [("W-MOSS", "sale", 2, 0, 1200)],
    },
    "magento_items": {
        "100000012": [("M-JMP-S", "sale", 1, 700, 4000)],
        "100000013": [("M-JMP-M", "return", -1, 0, -4700), ("M-JMP-M", "sale", 2, 0, 9400)],
    },
    "square_items": {
        "tx_0a1": [("Q-MILK", "sale", 2, 0, 300), ("Q-RYE", "sale", 1, 25, 225)],
        "tx_0a2": [("Q-MILK", "return", -1, 0, -150)],
        "tx_0a3": [("Q-PLAT", "sale", 1, 5000, 120000)],
    },
    "lightspeed_x": {
        "LX-1001": [("L-JAM", "sale", 1, 50, 275), ("L-TEA", "sale", 2, 0, 660)],
        "LX-1002": [("L-TEA", "return", -1, 0, -330)],
    },
    "lightspeed_r": {
        "220001": [("210000000101", "sale", 1, 800, 7920), ("210000000102", "sale", 2, 0, 2200)],
        "220002": [("210000000102", "return", -1, 0, -1100)],
    },
    "loyverse_receipts": {
        "1-1001": [("Y-MILK", "sale", 2, 0, 300), ("Y-RYE", "sale", 1, 25, 225)],
        "1-1002": [("Y-TOM", "sale", 0.345, 0, 103)],
        "1-1003": [("Y-MILK", "return", -1, 0, -150)],
    },
    "odoo_sale": {
        "S00021": [("O-DESK", "sale", 1, 0, 9000), ("O-LAMP", "sale", 2, 0, 4000)],
        "S00022": [("O-DESK", "sale", 1, 0, 10000), ("O-LAMP", "sale", 1, 0, 2000)],
    },
    "odoo_pos": {
        "Shop/0001": [("O-MUG", "sale", 2, 0, 1000), ("O-TEA", "sale", 1, 0, 400)],
        "Shop/0002": [("O-MUG", "return", -1, 0, -500)],
    },
}


@pytest.mark.parametrize("file", KINDS)
def test_each_export_is_recognised(file: str) -> None:
    export = look(HERE / file)
    preset = recognise(export)
    assert preset is not None
    assert (preset.name, preset.kind) == KINDS[file]
    named = [*preset.columns.values(), *preset.identifiers.values()]
    columns = [c for s in named for c in ([s] if isinstance(s, str) else [s.column, *s.columns])]
    assert {c for c in columns if c and not c.startswith("line_items.")} <= set(export.columns)


def test_files_are_all_tried_and_all_there() -> None:
    found = {path.name for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}
    assert found == set(KINDS)


def test_headers_in_other_cases_and_orders_are_recognised() -> None:
    export = look(HERE / "square_items.csv")
    columns = tuple(reversed([column.upper().replace(" ", "_") for column in export.columns]))
    found = recognise(Export(export.path, "csv", columns, ()))
    assert found is not None
    assert found.columns["amount"] == "NET_SALES"


def toml(value: Any) -> str:
    """Write a value of a settings file."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value)


def plain(spec: str | Column) -> Any:
    """Write a column as the settings file has it."""
    if isinstance(spec, str):
        return spec
    empty = msgspec.to_builtins(Column())
    return {k: v for k, v in msgspec.to_builtins(spec).items() if v != empty[k]}


def by_presets() -> str:
    """Write the settings that the presets propose."""
    parts = ['[workspace]\ncurrency = "USD"\ntime_zone = "America/New_York"\n']
    rules: dict[str, list[str]] = {}
    blocked: dict[str, list[str]] = {}
    names: list[str] = []
    for file in KINDS:
        preset = recognise(look(HERE / file))
        assert preset is not None
        stem = Path(file).stem
        name = f"{stem}_2" if stem in names else stem
        names.append(name)
        settings = {"kind": preset.kind, "path": str(HERE / file), **preset.settings}
        if file in TIMES:
            settings["time_format"] = TIMES[file]
        parts.append(f"[sources.{name}]\n" + lines_of(settings))
        parts.append(f"[sources.{name}.columns]\n" + lines_of(preset.columns))
        parts.append(f"[sources.{name}.identifiers]\n" + lines_of(preset.identifiers))
        for had, more in ((rules, preset.rules), (blocked, preset.blocked)):
            for key, values in more.items():
                more_of_it = had.setdefault(key, [])
                more_of_it += [value for value in values if value not in more_of_it]
    parts += ["[rules]\n" + lines_of(rules), "[identity.blocked]\n" + lines_of(blocked)]
    return "\n".join(parts)


def lines_of(settings: dict[str, Any]) -> str:
    """Write settings, one per line."""
    specs = {k: plain(v) if isinstance(v, Column) else v for k, v in settings.items()}
    return "".join(f"{name} = {toml(value)}\n" for name, value in specs.items())


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All exports, ingested with the presets; read-only."""
    folder = tmp_path_factory.mktemp("preset")
    (folder / "omnibasket.toml").write_text(by_presets(), encoding="utf-8")
    ingest(load_config(folder), AT, lambda *_: None)
    return folder


@pytest.fixture(scope="module", params=["preset", "init"])
def history(
    request: pytest.FixtureRequest, workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[dict[str, Any]]]:
    """All exports in one history; ``summary`` is a table of one row."""
    folder = workspace
    if request.param == "init":
        folder = tmp_path_factory.mktemp("init")
        shutil.copytree(workspace / ".omnibasket", folder / ".omnibasket")
        named = [word for file in KINDS for word in ("--source", str(HERE / file))]
        head = ["init", "--yes", "-w", str(folder), "--currency", "USD"]
        done = CliRunner().invoke(main, [*head, "--time-zone", "America/New_York", *named])
        assert done.exit_code == 0, done.output
    summary = ingest(load_config(folder), AT, lambda *_: None)
    opened = History.open(load_config(folder))

    def table(name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [summary] if name == "summary" else []
        return rows or opened.table(name).to_pylist()

    return table


@pytest.mark.parametrize("source", LINES)
def test_lines_are_what_was_sold(history: Any, source: str) -> None:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for line in history("lines"):
        name, _, order = line["order_id"].partition(":")
        if name == source:
            keys = ("item_id", "kind", "quantity", "discount_minor", "amount_minor")
            found.setdefault(order, []).append(tuple(line[key] for key in keys))
    assert {order: sorted(lines) for order, lines in found.items()} == LINES[source]


def test_nothing_was_rejected_and_everything_is_accounted_for(history: Any) -> None:
    rows = history("summary")[0]["rows"]
    assert rows["rejected"] == {}
    assert rows["read"] == rows["kept"] + sum(rows["left_out"].values())
    assert rows["repeated"] == rows["superseded"] == 0


def test_channels_currencies_times_and_places(history: Any) -> None:
    lines = history("lines")
    first = {line["order_id"]: line for line in lines if line["kind"] == "sale"}
    assert first["shopify_orders:#1001"]["channel"] == "web"
    assert first["shopify_orders:#1004"]["channel"] == "pos"
    assert (
        first["square_items:tx_0a1"]["channel"] == first["odoo_pos:Shop/0001"]["channel"] == "pos"
    )
    assert first["magento_items:100000013"]["currency"] == "SEK"
    assert first["woocommerce_items:810"]["currency"] == "GBP"
    assert first["woocommerce_orders:910"]["currency"] == "GBP"
    moment = first["square_items:tx_0a1"]["occurred_at"]
    assert moment.isoformat() == "2024-05-02T13:13:22+00:00"
    assert first["loyverse_receipts:1-1001"]["occurred_at"].month == 5
    assert first["loyverse_receipts:1-1001"]["location_id"] == "Harbour"
    kinds = {place["location_id"]: place["kind"] for place in history("locations")}
    assert kinds["High Street"] == kinds["Harbour"] == kinds["Mill Road"] == "store"


def test_prices_are_shelf_prices(history: Any) -> None:
    prices = {
        (line["order_id"], line["item_id"]): line["unit_price_minor"] for line in history("lines")
    }
    assert prices["woocommerce_items:810", "W-FERN"] == 1200
    assert prices["woocommerce_orders:910", "W-FERN"] == 1200
    assert prices["square_items:tx_0a1", "Q-RYE"] == 250
    assert prices["lightspeed_x:LX-1001", "L-JAM"] == 325
    assert prices["odoo_sale:S00021", "O-DESK"] == 10000


def test_guests_are_nobody_and_customers_are_themselves(history: Any) -> None:
    who = {line["order_id"]: line["customer_id"] for line in history("lines")}
    known = [
        "shopify_orders:#1001",
        "shopify_orders:#1002",
        "woocommerce_items:810",
        "woocommerce_items:812",
        "woocommerce_items:814",
        "woocommerce_orders:910",
        "woocommerce_orders:912",
        "woocommerce_orders:913",
        "magento_items:100000012",
        "magento_items:100000013",
        "square_items:tx_0a1",
        "lightspeed_x:LX-1001",
        "lightspeed_r:220001",
        "odoo_sale:S00021",
        "odoo_pos:Shop/0002",
    ]
    assert len({who[order] for order in known}) == len(known)
    guests = [
        "shopify_orders:#1004",
        "square_items:tx_0a3",
        "lightspeed_x:LX-1002",
        "lightspeed_r:220002",
        "odoo_sale:S00022",
        "odoo_pos:Shop/0001",
    ]
    assert {who[order] for order in guests} == {None}
    assert who["square_items:tx_0a1"] == who["square_items:tx_0a2"]


def test_catalogues_say_what_is_sold(history: Any) -> None:
    products = {product["item_id"]: product for product in history("products")}
    listed = {item for item, product in products.items() if product["in_catalogue"]}
    assert listed == {
        "S-FERN-S",
        "S-FERN-L",
        "S-MOSS",
        "S-LANT",
        "W-FERN",
        "W-MOSS",
        "W-TROWEL",
        "W-NEW",
        "W-JMP",
        "W-JMP-S",
        "M-JMP-S",
        "M-JMP-M",
        "M-CAP",
        "Q-MILK",
        "Q-RYE",
        "Q-PLAT",
        "Y-MILK",
        "Y-RYE",
        "Y-TOM",
        "G-LAMP-R",
        "G-LAMP-B",
        "G-MUG",
        "G-BOWL",
    }
    gone = {item for item in listed if not products[item]["active"]}
    assert gone == {"S-LANT", "W-TROWEL", "W-NEW", "M-CAP", "Q-PLAT", "Y-TOM"}
    assert products["S-FERN-L"]["category"] == "Pots"
    assert products["S-FERN-L"]["brand"] == "Hollow Oak"
    assert products["S-FERN-L"]["price_minor"] == 1900
    assert products["W-JMP-S"]["parent_id"] == "W-JMP"
    assert products["W-JMP-S"]["price_minor"] == 1900, "it is reduced"
    assert products["G-LAMP-B"]["price_minor"] == 2250
    assert products["G-LAMP-B"]["parent_id"] == "G-LAMP"
    assert products["G-MUG"]["title"] == "Mug & saucer"
    attributes = {item: json.loads(p["attributes"] or "{}") for item, p in products.items()}
    assert attributes["S-FERN-S"]["gtin"] == "4006381333931"
    assert attributes["G-MUG"]["url"] == "https://shop.test/mug"
    assert attributes["G-LAMP-R"]["image_url"] == "https://shop.test/lamp.jpg"


def test_stock_is_what_can_be_sold(history: Any) -> None:
    found = {(row["location_id"], row["item_id"]): row["on_hand"] for row in history("stock")}
    assert found == {
        ("High Street", "S-FERN-S"): 9,
        ("Warehouse", "S-FERN-S"): 30,
        ("High Street", "S-MOSS"): 4,
        ("Old Mill", "S-FERN-S"): 7,
        ("Old Mill", "S-MOSS"): 5,
        ("mill-road", "G-LAMP-R"): 4,
        ("mill-road", "G-MUG"): 0,
    }


def test_events_are_read_from_all_three_forms(history: Any) -> None:
    found = sorted((e["event"], e["item_id"], e["quantity"]) for e in history("events"))
    assert found == [
        ("add_to_cart", "Q-RYE", 2),
        ("add_to_cart", "S-FERN-S", 1),
        ("add_to_cart", "S-MOSS", 2),
        ("view_item", "Q-MILK", 1),
        ("view_item", "S-MOSS", 1),
        ("view_item", "W-FERN", 1),
    ]


def test_settings_of_presets_load(tmp_path: Path) -> None:
    (tmp_path / "omnibasket.toml").write_text(by_presets(), encoding="utf-8")
    assert (
        len(load_config(tmp_path).sources)
        == len(KINDS)
        == len(tomllib.loads(by_presets())["sources"])
    )


def test_a_preset_says_what_it_could_not_settle() -> None:
    wide = recognise(look(HERE / "shopify_inventory_wide.csv"))
    assert isinstance(wide, Preset)
    assert any("`Harbour Shop`" in check for check in wide.checks)
