"""Copies product fields from a product's main row to its variants.

Shopify writes title, vendor and status on the first row of a product, and further images on rows
of their own. WooCommerce's variations name a parent, by SKU or as ``id:16``. In: the rows of a
product export. Out: the inherited values of each row. Called by ``catalogue``.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final, cast

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from recsys.ingest.columns.fields import Fields
from recsys.ingest.files.export_files import ROW
from recsys.query_engine import keep

#: Prefix of the columns that ``inherited`` returns.
TAKEN: Final = "taken "
#: Fields that a row without a value inherits from its product.
_OF_PRODUCT: Final = ("title", "department", "category", "brand")
OPTIONS: Final = ("option1", "option2", "option3")
#: Never inherited: it identifies one variant.
_OWN: Final = ("gtin",)
IMAGE: Final = "image_url"
#: Placeholders that exports write where a product has no options.
_NO_OPTION: Final = ("default title", "title", "default", "default option")
#: Reasons why rows that are not products are left out.
IMAGE_ROW: Final = "image_row"
PARENT_ROW: Final = "parent_without_item_id"


def inherited(
    con: Backend, fields: Fields, statuses: dict[str, ir.Value], attributes: Sequence[str]
) -> ir.Table:
    """Return the values that each row inherits from its product.

    Parameters
    ----------
    con : ibis backend
        The engine; stores small temporary tables.
    fields : Fields
        The export.
    statuses : dict of str to ibis column
        ``active`` and ``visibility`` as booleans; null where a row has no value.
    attributes : sequence of str
        Names of further fields.

    Returns
    -------
    ibis table
        One row per row of the export, keyed by ``_taken_by``. The other columns begin with
        ``TAKEN``: the title, for a variant with its options; ``department``, ``category``,
        ``brand`` and the attributes, inherited where the row has none; ``parent_id``, an item id;
        ``hidden``, whether the product must not be shown; ``left_out``, why the row is not a
        product, or null.

    Notes
    -----
    A row inherits from its parent's own row if there is one, else from the first row with the same
    ``parent_id``. That first row passes an attribute on only if no other row of the product has
    it; otherwise the attribute belongs to individual variants.
    """
    rows = keep(con, "catalogue_rows", _rows(fields, statuses, attributes))
    linked = keep(con, "catalogue_parents", _linked(con, rows))
    parents = rows.view().rename({f"parent {name}": name for name in rows.columns})
    firsts = rows.view().rename({f"first {name}": name for name in rows.columns})
    groups = _groups(con, rows, attributes)
    table = rows.left_join(linked, rows[ROW] == linked["_child"])
    table = table.left_join(parents, table["_parent"] == parents[f"parent {ROW}"])
    table = table.left_join(groups, table["parent_id"] == groups["_group"])
    table = table.left_join(firsts, table["_first"] == firsts[f"first {ROW}"])
    referenced = linked.filter(linked["_parent"].notnull()).select(_named="_parent").distinct()
    table = keep(
        con, "catalogue_families", table.left_join(referenced, table[ROW] == referenced["_named"])
    )
    # Without a parent row, the values come from the product's rows together.
    without_parent = table["_parent"].isnull()

    def from_first(name: str) -> ir.Value:
        return ibis.ifelse(without_parent, table[f"first {name}"], ibis.null(table[name].type()))

    values: dict[str, ir.Value] = {
        name: ibis.coalesce(table[name], table[f"parent {name}"], from_first(name))
        for name in _OF_PRODUCT
    }
    values["title"] = _title(table, values["title"], without_parent)
    for name in attributes:
        own = table[f"={name}"]
        if name in _OWN:
            continue
        first = from_first(f"={name}")
        if name == IMAGE:
            first = ibis.ifelse(without_parent, table["_image"], ibis.null("string"))
        else:
            first = ibis.ifelse(table[f"_several {name}"].fill_null(False), own, first)
        values[f"={name}"] = ibis.coalesce(own, table[f"parent ={name}"], first)
    values["parent_id"] = ibis.coalesce(table["parent item_id"], table["parent_id"])
    values["hidden"] = _hidden(table, without_parent)
    unnamed = table["item_id"].isnull() & table["_named"].notnull()
    values["left_out"] = ibis.cases((table["_picture"], IMAGE_ROW), (unnamed, PARENT_ROW))
    return table.select(
        _taken_by=table[ROW], **{TAKEN + name: value for name, value in values.items()}
    )


def _rows(fields: Fields, statuses: dict[str, ir.Value], attributes: Sequence[str]) -> ir.Table:
    """Select each row's own values; names of attributes begin with ``=``."""
    names = ("item_id", "id", "parent_id", *_OF_PRODUCT)
    text = {name: fields.text(name) for name in names}
    options = [fields.text(name) for name in OPTIONS if fields.has(name)]
    values = [option.nullif("") for option in options]
    values = [ibis.ifelse(o.lower().isin(_NO_OPTION), ibis.null("string"), o) for o in values]
    option = ibis.literal(" / ").join(values) if values else ibis.null("string")
    product_values = [text["item_id"], text["title"], *options]
    product_values += [fields.text(name) for name in ("price", "sale_price") if fields.has(name)]
    empty = reduce(lambda a, b: a & b, (value.isnull() for value in product_values))
    picture = empty & text["parent_id"].notnull()
    if IMAGE in attributes:
        picture = picture & fields.text(IMAGE).notnull()
    return fields.table.select(
        fields.table[ROW],
        **text,
        **statuses,
        _option=cast(ir.StringValue, option).nullif(""),
        _picture=picture,
        _shown=fields.text(IMAGE) if IMAGE in attributes else ibis.null("string"),
        **{f"={name}": fields.text(name) for name in attributes},
    )


def _linked(con: Backend, rows: ir.Table) -> ir.Table:
    """Find the row of each row's parent: by item id, else by the export's own id."""
    with_item_id = rows.filter(rows.item_id.notnull())
    by_item = with_item_id.group_by(_item="item_id").aggregate(_at=with_item_id[ROW].max())
    with_id = rows.filter(rows["id"].notnull())
    by_id = with_id.group_by(_id="id").aggregate(_id_at=with_id[ROW].max())
    links = rows.filter(rows.parent_id.notnull())
    number = links.parent_id.re_extract(r"^[iI][dD]:\s*(.+)$", 1).nullif("")
    links = links.select(_child=links[ROW], _ref=links.parent_id, _number=number)
    links = links.left_join(by_item, links["_ref"] == by_item["_item"])
    links = links.mutate(_wanted=ibis.coalesce(links["_number"], links["_ref"]))
    links = links.left_join(by_id, links["_wanted"] == by_id["_id"])
    parent_row = ibis.coalesce(links["_at"], links["_id_at"])
    links = keep(con, "catalogue_links", links.select("_child", "_ref", _at=parent_row))
    parents = rows.select(_above=rows[ROW], _above_ref=rows.parent_id)
    pairs = links.join(parents, links["_at"] == parents["_above"])
    # A variant whose item id equals its product's parent_id is a sibling, not the parent.
    pairs = pairs.filter((pairs["_above_ref"] != pairs["_ref"]).fill_null(True))
    return pairs.select("_child", _parent="_at")


def _groups(con: Backend, rows: ir.Table, attributes: Sequence[str]) -> ir.Table:
    """Aggregate the values of the rows with one ``parent_id``."""
    members = rows.filter(rows.parent_id.notnull())
    products = members.item_id.notnull()
    groups = members.group_by(_group="parent_id").aggregate(
        _first=members[ROW].min(),
        _image=members["_shown"].argmin(members[ROW], where=members["_shown"].notnull()),
        _untitled=(members.title.isnull() & products).any(),
    )
    groups = keep(con, "catalogue_groups", groups)
    joined = members.join(groups, members.parent_id == groups["_group"])
    later = joined.filter((joined[ROW] != joined["_first"]) & ~joined["_picture"])
    repeated = {
        f"_several {name}": later[f"={name}"].notnull().any()
        for name in attributes
        if name != IMAGE
    }
    later_rows = later.group_by(_several="parent_id").aggregate(**repeated, _later=later.count())
    return groups.left_join(later_rows, groups["_group"] == later_rows["_several"])


def _title(table: ir.Table, title: ir.Value, without_parent: ir.BooleanValue) -> ir.Value:
    """Append the options to a variant's title if the export states the title once per product."""
    first = (table[ROW] == table["_first"]) & without_parent
    once = (first & table["_untitled"] & table["parent_id"].notnull()).fill_null(False)
    full_title = title + " - " + table["_option"]
    add_options = (table["title"].isnull() | once) & table["_option"].notnull() & title.notnull()
    return ibis.ifelse(add_options, full_title, title)


def _hidden(table: ir.Table, without_parent: ir.BooleanValue) -> ir.BooleanValue:
    """Return whether the product of a row is hidden, regardless of the row's own status."""
    hidden: ir.Value = ibis.literal(value=False)
    for name in ("active", "visibility"):
        first = ibis.ifelse(without_parent & table[name].isnull(), table[f"first {name}"], None)
        hidden = hidden | ~table[f"parent {name}"].fill_null(True) | ~first.fill_null(True)
    return cast(ir.BooleanValue, hidden)
