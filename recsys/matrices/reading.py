"""The history's tables become arrays.

Questions to the engine are Ibis expressions; their answers stream in as Arrow batches and become
numpy columns, without a loop over lines. Called by ``Training.read``.
"""

from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend
from scipy import sparse

from recsys.data.history import History
from recsys.errors import DataError
from recsys.matrices.arrow import batches, column, given, mapped, moment
from recsys.matrices.baskets import Baskets, Training
from recsys.matrices.ids import IntArray, ItemIndex, IxArray, location_key
from recsys.matrices.interactions import KIND_OF, Interactions, standing
from recsys.matrices.products import Products
from recsys.matrices.returns import UNITS
from recsys.schema import CHANNELS

Floats = npt.NDArray[np.float64]


def training(
    history: History, as_of_ts: int, *, since_ts: int | None, seed: int, threads: int
) -> Training:
    """Read a history as it was known at one time; see ``Training.read``."""
    con = history.connect()
    try:
        index = catalogue(con, as_of_ts)
        item_ids = pa.array(index.item_ids, pa.string())
        positions = {"item_id": item_ids, "item_ix": np.arange(len(index), dtype="i4")}
        given(con, "item_positions", pa.table(positions))
        lines = _lines(con, as_of_ts, since_ts)
        # Each of these two is asked more than once below, so the engine works it out once.
        orders = con.create_table("training_orders", _orders(lines), temp=True)
        net = con.create_table("training_net", _net(lines), temp=True)
        baskets = _baskets(con, orders, _kept(net, orders), len(index))
        done = _interactions(con, lines, _looks(con, as_of_ts, since_ts), baskets)
        category = _categories(con, index)
        price_minor, off = _prices(con, lines, len(index))
        told = replace(_products(con, len(index)), price_minor=price_minor, discount_share=off)
        return Training(index, baskets, as_of_ts, category, seed, threads, told, done)
    finally:
        con.disconnect()


def catalogue(con: Backend, until_ts: int) -> ItemIndex:
    """Find every product of the catalogue, and every one sold before ``until_ts``."""
    products, lines = con.table("products"), con.table("lines")
    listed = products.filter(products.in_catalogue).select("item_id")
    sold = lines.filter(lines.occurred_at < moment(until_ts)).select("item_id").distinct()
    return ItemIndex(con.to_pyarrow(ibis.union(listed, sold, distinct=True))["item_id"].to_pylist())


def _lines(con: Backend, until_ts: int, since_ts: int | None) -> ir.Table:
    """Lines of the period; a return stands in the order it belongs to."""
    lines = con.table("lines")
    lines = lines.filter(lines.occurred_at < moment(until_ts))
    if since_ts is not None:
        lines = lines.filter(lines.occurred_at >= moment(since_ts))
    return lines.join(con.table("item_positions"), "item_id").select(
        "customer_id",
        "occurred_at",
        "channel",
        "location_id",
        "quantity",
        "unit_price_minor",
        "discount_minor",
        "item_ix",
        order=ibis.coalesce(lines.return_of, lines.order_id),
    )


def _orders(lines: ir.Table) -> ir.Table:
    """Return one row an order with sales, numbered by time."""
    sales = lines.filter(lines.quantity > 0)
    orders = sales.group_by("order").agg(
        occurred_at=sales.occurred_at.min(),
        customer_id=sales.customer_id.min(),
        channel=sales.channel.min(),
        location_id=sales.location_id.min(),
    )
    number = ibis.row_number().over(order_by=[orders.occurred_at, orders.order])
    return orders.mutate(order_ix=number.cast("int32"))


def _net(lines: ir.Table) -> ir.Table:
    """What is left of each product in each order; below zero where only its return is known."""
    units = (lines.quantity * UNITS).round().cast("int64")
    return lines.group_by("order", "item_ix").agg(
        units=units.sum(), customer_id=lines.customer_id.min()
    )


def _kept(net: ir.Table, orders: ir.Table) -> ir.Table:
    """Order and product of what was kept: the rule of ``Histories.purchases``."""
    kept = net.drop("customer_id").filter(net.units > 0).join(orders, "order")
    back = net.filter((net.units < 0) & net.customer_id.notnull())
    back = back.group_by("customer_id", "item_ix").agg(back=back.units.sum())
    mine = kept.semi_join(back, ["customer_id", "item_ix"])
    mine = mine.group_by("customer_id", "item_ix").agg(units=mine.units.sum())
    nothing = mine.join(back, ["customer_id", "item_ix"])
    nothing = nothing.filter(nothing.units + nothing.back <= 0)
    return kept.anti_join(nothing, ["customer_id", "item_ix"]).select("order_ix", "item_ix")


def _baskets(con: Backend, orders: ir.Table, kept: ir.Table, n_items: int) -> Baskets:
    table = con.to_pyarrow(orders.order_by("order_ix"))
    if not len(table):
        raise DataError(
            "no order lies in the period to learn from: ingest older exports, or learn from a "
            "longer period."
        )
    cells = [(np.empty(0, np.int32),) * 2, *(_cells(batch) for batch in batches(con, kept))]
    rows, columns = (np.concatenate(part) for part in zip(*cells, strict=True))
    ones = np.ones(len(rows), np.float32)
    items = sparse.csr_array((ones, (rows, columns)), shape=(len(table), n_items))
    items.sort_indices()
    customer_ids = pc.unique(table["customer_id"]).drop_null().sort()
    customer = pc.fill_null(pc.index_in(table["customer_id"], value_set=customer_ids), -1)
    return Baskets(
        items=items,
        ts=column(table["occurred_at"].cast(pa.int64())) // 1_000_000,
        customer=column(customer).astype(np.int32),
        channel=mapped(table["channel"], CHANNELS.index).astype(np.uint8),
        location=mapped(table["location_id"], location_key),
        customer_ids=customer_ids.to_pylist(),
    )


def _looks(con: Backend, until_ts: int, since_ts: int | None) -> ir.Table:
    """Return the latest view and the latest cart of each product by each customer."""
    table = con.table("events")
    table = table.filter(
        table.customer_id.notnull()
        & table.event.isin([*KIND_OF])
        & (table.occurred_at < moment(until_ts))
    )
    if since_ts is not None:
        table = table.filter(table.occurred_at >= moment(since_ts))
    table = table.join(con.table("item_positions"), "item_id")
    kind = table.event.cases(*((name, ibis.literal(n, "int8")) for name, n in KIND_OF.items()))
    return table.group_by("customer_id", "item_ix", kind=kind).agg(
        occurred_at=table.occurred_at.max()
    )


def _interactions(con: Backend, lines: ir.Table, looks: ir.Table, baskets: Baskets) -> Interactions:
    """What customers did besides buying: the rule of ``Histories.interactions``."""
    looks = con.create_table("training_looks", looks, temp=True)
    named = lines.filter(lines.customer_id.notnull())
    pair = ["customer_id", "item_ix"]
    bought = named.semi_join(looks, pair)
    bought = bought.group_by(pair).agg(occurred_at=bought.occurred_at.max())
    back = named.filter(named.quantity < 0)
    back = back.group_by(pair).agg(occurred_at=back.occurred_at.max())
    seen, sold, returned = (con.to_pyarrow(table) for table in (looks, bought, back))
    named_in = [*seen["customer_id"].chunks, *returned["customer_id"].chunks]
    others = pc.unique(pa.chunked_array(named_in, pa.string()))
    known = pa.array(baskets.customer_ids, pa.string())
    others = others.filter(pc.invert(pc.is_in(others, value_set=known))).sort()
    everybody = pa.concat_arrays([known, others])
    n_items = baskets.items.shape[1]

    def cells(table: pa.Table) -> tuple[IntArray, IntArray, IntArray]:
        row = column(pc.index_in(table["customer_id"], value_set=everybody)).astype(np.int64)
        item = column(table["item_ix"]).astype(np.int64)
        return row, item, column(table["occurred_at"].cast(pa.int64())) // 1_000_000

    row, item, ts = cells(seen)
    kind = column(seen["kind"]).astype(np.uint8)
    events = Interactions.of(row, item.astype(np.int32), ts, kind, len(everybody))
    (row, item, ts), (back_row, back_item, back_ts) = cells(sold), cells(returned)
    facts = (
        np.concatenate([row, back_row]) * n_items + np.concatenate([item, back_item]),
        np.concatenate([ts, back_ts]),
        np.repeat([1.0, -1.0], [len(row), len(back_row)]),
    )
    orders = baskets.items.tocoo()
    owner = baskets.customer[orders.row].astype(np.int64)
    kept = (owner * n_items + orders.col)[owner >= 0]
    return standing(events, facts, kept, n_items)


def _cells(batch: pa.RecordBatch) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return column(batch["order_ix"]), column(batch["item_ix"])


def _categories(con: Backend, index: ItemIndex) -> IxArray:
    products = con.table("products")
    name = ibis.coalesce(products.category, products.department)
    table = con.to_pyarrow(_placed(con, products.select("item_id", category=name)))
    return _numbered(table, table["category"], len(index))


def _products(con: Backend, n_items: int) -> Products:
    """What the products table says of each product of ``item_positions``."""
    names = ("item_id", "title", "attributes", "department", "brand", "parent_id")
    table = con.to_pyarrow(_placed(con, con.table("products").select(*names)))
    known = np.full(n_items, -1, np.int64)
    known[column(table["item_ix"])] = np.arange(len(table))
    rows = pa.array(known, mask=known < 0)
    titles, attributes = (
        pc.fill_null(table[name].take(rows), "").to_pylist() for name in ("title", "attributes")
    )
    parents = pc.unique(table["parent_id"]).drop_null()
    first = pc.if_else(pc.is_in(table["item_id"], value_set=parents), table["item_id"], None)
    family = pc.coalesce(table["parent_id"], first)
    department, brand, family = (
        _numbered(table, group, n_items) for group in (table["department"], table["brand"], family)
    )
    return Products(titles, attributes, department, brand, family)


def _prices(con: Backend, lines: ir.Table, n_items: int) -> tuple[Floats, Floats]:
    """What products cost on the shelf on average, and which share of that was taken off."""
    sold = lines.filter((lines.quantity > 0) & (lines.unit_price_minor > 0))
    shelf = sold.unit_price_minor * sold.quantity
    sums = sold.group_by("item_ix").agg(
        shelf=shelf.sum(), quantity=sold.quantity.sum(), off=sold.discount_minor.sum()
    )
    found = con.to_pyarrow(sums)
    at = column(found["item_ix"])
    price, share = np.zeros(n_items), np.zeros(n_items)
    paid = column(found["shelf"]).astype(np.float64)
    price[at] = paid / column(found["quantity"])
    off = column(pc.fill_null(found["off"], 0)).astype(np.float64)
    share[at] = np.clip(off / paid, 0.0, 1.0)
    return price, share


def _placed(con: Backend, products: ir.Table) -> ir.Table:
    return products.join(con.table("item_positions"), "item_id")


def _numbered(table: pa.Table, texts: pa.ChunkedArray, n_items: int) -> IxArray:
    """Number of each product's text, in alphabetical order; -1 for none."""
    names = pc.unique(texts).drop_null().sort()
    numbers = np.full(n_items, -1, np.int32)
    found = pc.fill_null(pc.index_in(texts, value_set=names), -1)
    numbers[column(table["item_ix"])] = column(found)
    return numbers
