"""A model that has seen nothing of the weeks that are played.

In: an ingested workspace, and when the weeks begin. Out: the settings of a workspace with such a
model. Called by ``benchmarks.conversation``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from recsys.config import Config
from recsys.datasets import EncodedHistory
from recsys.evaluation import Window
from recsys.history import History
from recsys.learning import choices_of, find_bundles, fit_models, fit_ranking, observe_window
from recsys.units import DAY
from training.train.publication import make_current, publish

#: Before the weeks: ranking is learned on so many days.
_DAYS: Final = 28
#: More baskets than there are: none is a bundle, as no offer is made.
_NO_BUNDLES: Final = 1 << 30


def learned_before(config: Config, history: History, start_ts: int, folder: Path) -> Config:
    """Learn from what was known before a moment, and publish it in a folder of its own.

    Parameters
    ----------
    config : Config
        Of the workspace that holds the history; nothing of it is changed.
    history : History
    start_ts : int
        UTC epoch seconds.
    folder : Path
        For the model, the key and the ledgers.

    Returns
    -------
    Config
    """
    own = msgspec.structs.replace(
        config, workspace=msgspec.structs.replace(config.workspace, state=str(folder))
    )
    numbers = EncodedHistory.read(history)
    window = Window(start_ts - _DAYS * DAY, start_ts)
    _, examples = observe_window(
        config, numbers, fit_models(config, numbers, window.start_ts), window
    )
    learned = fit_ranking(config, [examples])
    fitted = fit_models(config, numbers, start_ts)
    few = msgspec.structs.replace(config.bundles, min_support=_NO_BUNDLES)
    bundles = find_bundles(few, history, fitted.training, None)
    choices = choices_of(history, fitted.training, config.train)
    at = datetime.now(UTC)
    made = publish(own, history, fitted, learned, bundles, choices, at, {}, {})
    make_current(own, made.name, at=at, by="benchmark", action="published")
    return own
