"""Names of an artefact's parts other than the models, and functions that rebuild them.

Training writes the parts under these names; ``engine`` reads them.
"""

from typing import Final

from recsys.artefacts.artefact_format import Artefact
from recsys.bundles import Bundles
from recsys.errors import ArtefactError
from recsys.models import CoPurchase
from recsys.ranking import BoostedTrees, Choices, Ensemble
from recsys.ranking.features import ItemStatistics

#: Names of the parts of an artefact that belong to the ranking.
PLAIN_BLEND: Final = "blend.plain"
CART_BLEND: Final = "blend.cart"
STATISTICS: Final = "ranker.statistics"
PLAIN_TREES: Final = "ranker.plain"
CART_TREES: Final = "ranker.cart"
SHELF: Final = "shelf"
COSTS: Final = "costs"
#: Parts of ``Sales``; older artefacts have none.
SALES: Final = "sales"
#: Parts of ``Choices``.
CHOICES: Final = "choices"
#: Parts of ``Dayparts``; older artefacts have none.
DAYPARTS: Final = "dayparts"
#: Parts of the bundles.
BUNDLES: Final = "bundles"


def bundles_of(artefact: Artefact) -> Bundles:
    """Return the bundles.

    Raises
    ------
    ArtefactError
        When a part is missing.
    """
    try:
        return Bundles.from_arrays(artefact.part(BUNDLES))
    except KeyError as error:
        raise ArtefactError(
            f"{artefact.folder}: the bundles lack their array {error}. Run `omnibasket train` to "
            "make a new artefact."
        ) from None


def choices_of(artefact: Artefact, n_items: int) -> Choices:
    """Return the choices; in older artefacts every product is a choice of its own.

    Raises
    ------
    KeyError
        When an array is missing.
    """
    return Choices.from_arrays(artefact.part(CHOICES), n_items)


def boosted_of(artefact: Artefact, copurchase: CoPurchase) -> BoostedTrees | None:
    """Return the trees; None if the artefact has none."""
    statistics = artefact.part(STATISTICS)
    if not statistics:
        return None
    return BoostedTrees(
        ItemStatistics.from_arrays(statistics),
        (copurchase.indptr_, copurchase.indices_, copurchase.scores_),
        Ensemble.from_arrays(artefact.part(PLAIN_TREES)),
        Ensemble.from_arrays(artefact.part(CART_TREES)),
    )
