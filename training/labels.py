"""``omnibasket labels``: a printable sheet of shelf labels, each with a code of the product's page.

Reads the settings, the current artefact and what the back office reported since; writes one HTML
file and nothing else. The pages are those of ``[serve] aisle_pages``.
"""

import difflib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from recsys.artefacts import registry
from recsys.config import Config, load_config
from recsys.durable_files import replace_file
from recsys.languages import TAGS, Language, language_of
from recsys.ledger import Ledger, Overlay
from recsys.messages import counted
from recsys.recommender import Engine, ShelfLabel, label_sheet, shift_seconds
from recsys.values import aisle_path, currency_digits, is_base_url
from training.console import emit_json, json_option, messages, output, workspace_option

#: Labels from which a sheet is large for a browser.
_MANY = 2_000


@click.command(
    epilog="""\b
For example:
  omnibasket labels --location 367 --base-url https://shop.example --category Cheese
  omnibasket labels --location 367 --base-url https://shop.example --items 1082185"""
)
@workspace_option
@click.option("--location", required=True, metavar="ID", help="Store that the shelves are in.")
@click.option(
    "--base-url",
    required=True,
    metavar="URL",
    help="Address under which customers reach the service, such as https://shop.example.",
)
@click.option("--items", multiple=True, metavar="ID", help="A product; repeatable.")
@click.option("--category", metavar="NAME", help="Only products of this category.")
@click.option("--department", metavar="NAME", help="Only products of this department.")
@click.option("--in-stock", is_flag=True, help="Only products that the store has in stock.")
@click.option(
    "--columns",
    type=click.IntRange(1, 6),
    default=3,
    show_default=True,
    help="Labels beside each other on A4.",
)
@click.option(
    "--output",
    "-o",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("labels.html"),
    show_default=True,
    help="File to write.",
)
@click.option("--lang", type=click.Choice(TAGS), help="Language; the workspace's by default.")
@json_option
def command(
    workspace: Path,
    location: str,
    base_url: str,
    items: tuple[str, ...],
    category: str | None,
    department: str | None,
    in_stock: bool,
    columns: int,
    file: Path,
    lang: str | None,
    as_json: bool,
) -> None:
    """Write a sheet of shelf labels to print.

    Each label has the title, the price and the number of a product, and a QR code that opens the
    product's page on a customer's phone. The service answers there if `[serve] aisle_pages` is set.
    """
    if not is_base_url(base_url):
        raise click.BadParameter(
            f"`{base_url}` is no address such as https://shop.example.", param_hint="--base-url"
        )
    config = load_config(workspace)
    engine = _load(config)
    key = _location(engine, location)
    chosen = _products(engine, items, {"category": category, "department": department})
    if in_stock:
        now_ts = int(time.time()) + shift_seconds(config, engine.manifest)
        stock = engine.ranker.availability.stock_at(np.full(len(chosen), key), chosen, now_ts)
        chosen = chosen[stock.sellable > 0]
    if not len(chosen):
        raise click.UsageError("no product fits all of that, so nothing was written.")
    language = language_of(lang or config.workspace.language)
    labels = [_label(engine, ix, location, base_url, language) for ix in chosen.tolist()]
    place = engine.catalogue.place(key)
    store = place["name"] or place["location_id"]
    sheet = label_sheet(labels, language, store=store, columns=columns)
    replace_file(file, sheet.encode())
    if as_json:
        emit_json({"labels": len(labels), "location_id": location, "file": str(file)})
    else:
        output().print(f"Wrote {counted(len(labels), 'label')} to {file}.", markup=False)
    if not config.serve.aisle_pages:
        messages().print(
            "The service does not answer there yet: set `aisle_pages = true` under [serve].",
            markup=False,
        )
    if len(labels) > _MANY:
        messages().print("So many labels print slowly: choose fewer by --category.", markup=False)


def _load(config: Config) -> Engine:
    """Load the current artefact, with the prices and the stock that were reported since."""
    engine = Engine.load(registry.current(config), stock=config.stock)
    ledger = Ledger.open(config.ledger_url, create=False, currency=config.workspace.currency)
    try:
        overlay = Overlay(ledger.backoffice)
        overlay.renew()
        updates = overlay.updates_since(engine.manifest.details.get("exported", {}))
    finally:
        ledger.close()
    return engine.with_updates(updates) if updates else engine


def _location(engine: Engine, location: str) -> int:
    """Return the key of a location; say which may be meant where it is unknown."""
    key = engine.catalogue.location(location)
    if not key:
        places = engine.catalogue.places.values()
        raise click.BadParameter(
            f"there is no location `{location}`.{_near(location, _ids(places, location))}",
            param_hint="--location",
        )
    return key


def _ids(places: Iterable[tuple[str, str]], location: str) -> list[str]:
    """Return the ids of locations; of one with that very name its id alone."""
    found = list(places)
    named = [place for place, name in found if name and name.casefold() == location.casefold()]
    return named or [place for place, _ in found]


def _products(engine: Engine, items: Sequence[str], labels: dict[str, str | None]) -> Any:
    """Return the positions of the products that are asked for: ndarray of shape (n,), int32."""
    if items:
        chosen = engine.index.ix_of(items)
        for item_id, item_ix in zip(items, chosen.tolist(), strict=True):
            if item_ix < 0:
                near = _near(item_id, engine.index.item_ids)
                raise click.BadParameter(
                    f"`{item_id}` is not in the model's catalogue.{near}", param_hint="--items"
                )
        chosen = chosen[np.sort(np.unique(chosen, return_index=True)[1])]
    else:
        chosen = np.flatnonzero(engine.ranker.availability.active).astype(np.int32)
    for name, wanted in labels.items():
        if wanted is None:
            continue
        column = engine.catalogue.labels[name]
        codes = [
            code
            for code, text in enumerate(column.names)
            if text.casefold() == wanted.strip().casefold()
        ]
        if not codes:
            raise click.BadParameter(
                f"no product has the {name} `{wanted}`.{_near(wanted, column.names)}",
                param_hint=f"--{name}",
            )
        chosen = chosen[np.isin(column.code[chosen], codes)]
    return chosen


def _label(
    engine: Engine, item_ix: int, location: str, base_url: str, language: Language
) -> ShelfLabel:
    item = engine.item(item_ix)
    price = item["price"]
    return ShelfLabel(
        url=base_url.rstrip("/") + aisle_path(item["item_id"], location),
        title=item["title"] or item["item_id"],
        price=None
        if price is None
        else language.money(
            price["amount_minor"] / 10 ** currency_digits(price["currency"]), price["currency"]
        ),
        item_id=item["item_id"],
        gtin=engine.catalogue.attributes.of(item_ix, ("gtin",)).get("gtin"),
    )


def _near(wanted: str, known: Iterable[str]) -> str:
    """Name what may be meant, as the end of a message; empty where nothing is near."""
    by_folded = {text.casefold(): text for text in known}
    near = difflib.get_close_matches(wanted.casefold(), by_folded, 3)
    names = " or ".join(f"`{by_folded[text]}`" for text in near)
    return f" Did you mean {names}?" if names else ""
