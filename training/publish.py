"""Puts fitted models, blends, catalogue and stock into an artefact and makes it current.

Called by ``train``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.config import Config
from recsys.data.history import History
from recsys.matrices.arrow import mapped
from recsys.matrices.histories import EMPTY
from recsys.matrices.ids import ItemIndex, item_key, location_key
from recsys.persistence import registry
from recsys.persistence.artefact import Array, Artefact, Manifest
from recsys.persistence.fitted import arrays_of
from recsys.ranking.shelf import Shelf
from recsys.responses.catalogue import tables
from recsys.responses.engine import CART_BLEND, PLAIN_BLEND, SHELF, Engine
from recsys.responses.placements import Question, placements
from training.learn import Fitted, Learned


def publish(
    config: Config,
    history: History,
    fitted: Fitted,
    learned: Learned,
    created: datetime,
    metrics: dict[str, Any],
    details: dict[str, Any],
) -> Path:
    """Write an artefact, try it, and make it current.

    Parameters
    ----------
    config : Config
    history : History
        Whose catalogue, locations and stock the artefact holds.
    fitted : Fitted
        On everything.
    learned : Learned
    created : datetime
        Now, UTC.
    metrics, details : dict
        For the manifest.

    Returns
    -------
    Path
        The artefact's folder.

    Raises
    ------
    ArtefactError
        When it cannot be written, or does not answer; the one before stays current.
    """
    index = fitted.training.index
    products = _products(history, index)
    parts = {
        PLAIN_BLEND: learned.plain.arrays(),
        CART_BLEND: learned.cart.arrays(),
        SHELF: _shelf(history, index, products["active"]).arrays(),
    }
    arrays: dict[str, Array] = arrays_of(fitted.models)
    for part, named in parts.items():
        arrays |= {f"{part}.{name}": array for name, array in named.items()}
    as_of = datetime.fromtimestamp(fitted.training.as_of_ts, UTC)
    manifest = Manifest(
        created=created,
        as_of=as_of,
        fingerprint=history.version,
        settings={
            "models": msgspec.to_builtins(config.models),
            "train": msgspec.to_builtins(config.train),
            "placements": msgspec.to_builtins(placements(config)),
        },
        metrics=metrics,
        details={"workspace": config.workspace.name, **details},
    )
    locations = history.table("locations").to_pydict()
    columns = tables(index, products, locations)
    folder = registry.publish(config, arrays, manifest, columns, check=lambda a: _try(config, a))
    registry.prune(config, config.train.keep)
    return folder


def _try(config: Config, artefact: Artefact) -> None:
    """Ask a new artefact one question for each placement; an error stops the publication."""
    engine = Engine(artefact)
    as_of_ts = int(artefact.manifest.as_of.timestamp())
    questions = [
        Question(placement=name, settings=settings, as_of_ts=as_of_ts)
        for name, settings in placements(config).items()
    ]
    engine.recommend(questions, [EMPTY] * len(questions))


def _products(history: History, index: ItemIndex) -> dict[str, list[Any]]:
    """Columns of the products table in the order of the index.

    Where there are product exports, a product that none of them names is not active: it was
    sold once, and is no longer in the catalogue.
    """
    table = history.table("products")
    listed = table["in_catalogue"]
    if pc.any(listed).as_py():
        table = table.set_column(
            table.schema.get_field_index("active"), "active", pc.and_(table["active"], listed)
        )
    at = pc.index_in(pa.array(index.item_ids, pa.string()), value_set=table["item_id"])
    return {name: table[name].take(at).to_pylist() for name in table.column_names}


def _shelf(history: History, index: ItemIndex, active: list[bool | None]) -> Shelf:
    stock = history.table("stock")
    item_ix = index.ix(mapped(stock["item_id"], item_key))
    locations = mapped(stock["location_id"], location_key)
    on_hand = stock["on_hand"].to_numpy()
    known = item_ix >= 0
    return Shelf.build(
        np.array([value is not False for value in active], bool),
        locations[known],
        item_ix[known],
        on_hand[known],
    )
