"""A fitted model with what it learned from, as a notebook meets it.

A model, its training and the history come in; lists of products come out, for one customer as a
data frame. Made by ``recsys.analysis.workspace``, called from notebooks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recsys.datasets import Context, Histories, Ragged, TrainingSet, read_rows
from recsys.errors import DataError
from recsys.history import History
from recsys.models import Model

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model with what it learned from.

    Attributes
    ----------
    label : str
        Its name and the settings that were given, as shown in tables.
    model : Model
    training : TrainingSet
        What it learned from; ``training.as_of_ts`` is when its knowledge ends.
    history : History
        Where customers' purchases are read.
    titles : mapping of str to str
        Title of each product that has one, by ``item_id``.
    """

    label: str
    model: Model
    training: TrainingSet
    history: History
    titles: Mapping[str, str]

    def __repr__(self) -> str:
        until = datetime.fromtimestamp(self.training.as_of_ts, UTC)
        return f"{self.label}, knows what was before {until:%Y-%m-%d %H:%M} UTC"

    def lists(self, histories: Histories, context: Context, k: int) -> tuple[Ragged, Ragged]:
        """Show each customer ``k`` products, and ``k`` that are new to them.

        Parameters
        ----------
        histories : Histories
            What each of n customers had bought.
        context : Context
            When and where each of them asks; of the same length.
        k : int
            Products of each list, at most.

        Returns
        -------
        shown, new : tuple of Ragged
            n rows each, best first.
        """
        shown, new = (
            self.model.recommend(histories, k, context, new_only=only) for only in (False, True)
        )
        return shown, new

    def recommend(self, customer_id: str, n: int = 10, *, new_only: bool = False) -> "pd.DataFrame":
        """Show what the model would show a customer at the moment its knowledge ends.

        Parameters
        ----------
        customer_id : str
        n : int
            Products, at most; fewer where the model has no more to say.
        new_only : bool
            Leave out what the customer ever bought.

        Returns
        -------
        DataFrame
            ``item_id, title, score, bought_before``; best first.

        Raises
        ------
        DataError
            When no customer of that id bought anything before that moment.
        """
        import pandas as pd

        at = self.training.as_of_ts
        rows = dict(read_rows(self.history, until_ts=at, customer_ids=[customer_id]))
        if customer_id not in rows:
            raise DataError(
                f"no purchase of a customer `{customer_id}` before "
                f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}. `Workspace.customers()` names some."
            )
        histories = Histories.from_rows([rows[customer_id]], self.training.index, at)
        context = Context.of(1, at)
        items, scores = self.model.recommend(histories, n, context, new_only=new_only).row(0)
        ids = [self.training.index.item_ids[ix] for ix in items]
        owned = set(histories.item_ix.tolist())
        return pd.DataFrame(
            {
                "item_id": ids,
                "title": [self.titles.get(item_id) for item_id in ids],
                "score": scores,
                "bought_before": [ix in owned for ix in items.tolist()],
            },
            index=pd.RangeIndex(1, len(ids) + 1, name="rank"),
        )
