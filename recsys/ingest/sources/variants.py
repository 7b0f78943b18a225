"""Copies product fields to variants from the one row of the product that has them.

Shopify writes title, vendor and status on the first row of a product, and more pictures on rows
that are no product; WooCommerce's variations name a parent, by SKU or as ``id:16``. The rows of a
product export come in, out comes what each of them takes over. Called by ``catalogue``.
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

#: Begins the columns that ``inherited`` returns.
TAKEN: Final = "taken "
#: What a row takes over from the product, where it says nothing itself.
_OF_PRODUCT: Final = ("title", "department", "category", "brand")
OPTIONS: Final = ("option1", "option2", "option3")
#: Never taken over: it says which thing exactly this is.
_OWN: Final = ("gtin",)
IMAGE: Final = "image_url"
#: What exports write where a product has no options.
_NO_OPTION: Final = ("default title", "title", "default", "default option")
#: Why rows are left out that are no product.
IMAGE_ROW: Final = "image_row"
PARENT_ROW: Final = "parent_without_item_id"


def inherited(
    con: Backend, fields: Fields, says: dict[str, ir.Value], attributes: Sequence[str]
) -> ir.Table:
    """Say what each row takes over from its product.

    Parameters
    ----------
    con : ibis backend
        Keeps small tables meanwhile.
    fields : Fields
        The export.
    says : dict of str to ibis column
        ``active`` and ``visibility`` as yes or no; null where a row says nothing.
    attributes : sequence of str
        Further fields.

    Returns
    -------
    ibis table
        One row each of the export, by ``_taken_by``. The columns begin with ``TAKEN``: the title
        of the row, with its options where it is a variant's; ``department``, ``category``,
        ``brand`` and the attributes as far as the row has none; ``parent_id`` by item id;
        ``hidden``, whether its product may not be shown; ``left_out``, where the row is no product.

    Notes
    -----
    A parent counts that has a row of its own; else the first row with the same ``parent_id``. From
    that one an attribute is taken only where no other row of the product says anything of it:
    what some variants say is theirs.
    """
    rows = keep(con, "catalogue_rows", _rows(fields, says, attributes))
    linked = keep(con, "catalogue_parents", _linked(con, rows))
    parents = rows.view().rename({f"parent {name}": name for name in rows.columns})
    firsts = rows.view().rename({f"first {name}": name for name in rows.columns})
    groups = _groups(con, rows, attributes)
    table = rows.left_join(linked, rows[ROW] == linked["_child"])
    table = table.left_join(parents, table["_parent"] == parents[f"parent {ROW}"])
    table = table.left_join(groups, table["parent_id"] == groups["_group"])
    table = table.left_join(firsts, table["_first"] == firsts[f"first {ROW}"])
    named = linked.filter(linked["_parent"].notnull()).select(_named="_parent").distinct()
    table = keep(con, "catalogue_families", table.left_join(named, table[ROW] == named["_named"]))
    # A parent with a row of its own says it; else the rows of the product say it together.
    alone = table["_parent"].isnull()

    def first_says(name: str) -> ir.Value:
        return ibis.ifelse(alone, table[f"first {name}"], ibis.null(table[name].type()))

    taken: dict[str, ir.Value] = {
        name: ibis.coalesce(table[name], table[f"parent {name}"], first_says(name))
        for name in _OF_PRODUCT
    }
    taken["title"] = _title(table, taken["title"], alone)
    for name in attributes:
        own = table[f"={name}"]
        if name in _OWN:
            continue
        first = first_says(f"={name}")
        if name == IMAGE:
            first = ibis.ifelse(alone, table["_image"], ibis.null("string"))
        else:
            first = ibis.ifelse(table[f"_several {name}"].fill_null(False), own, first)
        taken[f"={name}"] = ibis.coalesce(own, table[f"parent ={name}"], first)
    taken["parent_id"] = ibis.coalesce(table["parent item_id"], table["parent_id"])
    taken["hidden"] = _hidden(table, alone)
    unnamed = table["item_id"].isnull() & table["_named"].notnull()
    taken["left_out"] = ibis.cases((table["_picture"], IMAGE_ROW), (unnamed, PARENT_ROW))
    return table.select(
        _taken_by=table[ROW], **{TAKEN + name: value for name, value in taken.items()}
    )


def _rows(fields: Fields, says: dict[str, ir.Value], attributes: Sequence[str]) -> ir.Table:
    """Each row's own words; attributes begin with ``=``."""
    names = ("item_id", "id", "parent_id", *_OF_PRODUCT)
    text = {name: fields.text(name) for name in names}
    options = [fields.text(name) for name in OPTIONS if fields.has(name)]
    real = [option.nullif("") for option in options]
    real = [ibis.ifelse(one.lower().isin(_NO_OPTION), ibis.null("string"), one) for one in real]
    option = ibis.literal(" / ").join(real) if real else ibis.null("string")
    said = [text["item_id"], text["title"], *options]
    said += [fields.text(name) for name in ("price", "sale_price") if fields.has(name)]
    nothing = reduce(lambda a, b: a & b, (value.isnull() for value in said))
    picture = nothing & text["parent_id"].notnull()
    if IMAGE in attributes:
        picture = picture & fields.text(IMAGE).notnull()
    return fields.table.select(
        fields.table[ROW],
        **text,
        **says,
        _option=cast(ir.StringValue, option).nullif(""),
        _picture=picture,
        _shown=fields.text(IMAGE) if IMAGE in attributes else ibis.null("string"),
        **{f"={name}": fields.text(name) for name in attributes},
    )


def _linked(con: Backend, rows: ir.Table) -> ir.Table:
    """Row of each row's parent, where it has one: by item id, else by the export's own id."""
    named = rows.filter(rows.item_id.notnull())
    by_item = named.group_by(_item="item_id").aggregate(_at=named[ROW].max())
    numbered = rows.filter(rows["id"].notnull())
    by_id = numbered.group_by(_id="id").aggregate(_id_at=numbered[ROW].max())
    links = rows.filter(rows.parent_id.notnull())
    number = links.parent_id.re_extract(r"^[iI][dD]:\s*(.+)$", 1).nullif("")
    links = links.select(_child=links[ROW], _ref=links.parent_id, _number=number)
    links = links.left_join(by_item, links["_ref"] == by_item["_item"])
    links = links.mutate(_wanted=ibis.coalesce(links["_number"], links["_ref"]))
    links = links.left_join(by_id, links["_wanted"] == by_id["_id"])
    at = ibis.coalesce(links["_at"], links["_id_at"])
    links = keep(con, "catalogue_links", links.select("_child", "_ref", _at=at))
    above = rows.select(_above=rows[ROW], _above_ref=rows.parent_id)
    found = links.join(above, links["_at"] == above["_above"])
    # A variant that has the name of its product is one of its rows, and not above the others.
    found = found.filter((found["_above_ref"] != found["_ref"]).fill_null(True))
    return found.select("_child", _parent="_at")


def _groups(con: Backend, rows: ir.Table, attributes: Sequence[str]) -> ir.Table:
    """What the rows with one ``parent_id`` say together."""
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
    said = {
        f"_several {name}": later[f"={name}"].notnull().any()
        for name in attributes
        if name != IMAGE
    }
    more = later.group_by(_several="parent_id").aggregate(**said, _later=later.count())
    return groups.left_join(more, groups["_group"] == more["_several"])


def _title(table: ir.Table, title: ir.Value, alone: ir.BooleanValue) -> ir.Value:
    """Name a variant by its product and options, where the product's title stands once only."""
    first = (table[ROW] == table["_first"]) & alone
    once = (first & table["_untitled"] & table["parent_id"].notnull()).fill_null(False)
    whole = title + " - " + table["_option"]
    rows_needed = (table["title"].isnull() | once) & table["_option"].notnull() & title.notnull()
    return ibis.ifelse(rows_needed, whole, title)


def _hidden(table: ir.Table, alone: ir.BooleanValue) -> ir.BooleanValue:
    """Whether the product of a row may not be shown, whatever the row says for itself."""
    hidden: ir.Value = ibis.literal(value=False)
    for name in ("active", "visibility"):
        first = ibis.ifelse(alone & table[name].isnull(), table[f"first {name}"], None)
        hidden = hidden | ~table[f"parent {name}"].fill_null(True) | ~first.fill_null(True)
    return cast(ir.BooleanValue, hidden)
