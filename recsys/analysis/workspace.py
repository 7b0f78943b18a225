"""A workspace as a data scientist meets it: open it, fit a model, look, compare.

A folder comes in; fitted models, a customer's purchases, recommendations and figures come out, as
data frames. Called from notebooks and by nothing else in the library, whose front door it is.

Examples
--------
>>> shop = Workspace.open("demo")  # doctest: +SKIP
>>> als, repeat = shop.fit("als", factors=32), shop.fit("repeat")  # doctest: +SKIP
>>> als.recommend(shop.customers(1)[0])  # doctest: +SKIP
>>> shop.evaluate(als, repeat)  # doctest: +SKIP
>>> shop.fit_ranker().importance()  # doctest: +SKIP
>>> shop.bundles().table()  # doctest: +SKIP
"""

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import ibis
import msgspec
import numpy as np

from recsys.analysis.bundles import BundleStudy
from recsys.analysis.model import FittedModel
from recsys.analysis.ranker import RankerStudy, figures_of
from recsys.artefacts import registry
from recsys.config import Config, explain_error, load_config, unknown_name
from recsys.datasets import EMPTY, TrainingSet, read_rows, timestamp_of
from recsys.errors import ConfigError, DataError
from recsys.evaluation import evaluation_set, splits
from recsys.evaluation.baselines import OwnFrequency, tune_baseline
from recsys.history import History
from recsys.learning import fit
from recsys.ledger.exchange import without_refusers
from recsys.models import MODELS
from recsys.recommender import Engine, Question, find_placement
from recsys.schema import CORRECTION, SALE

if TYPE_CHECKING:
    import pandas as pd

#: Maximum number of customers to evaluate on.
JUDGED: Final = 2_000
#: Default cutoff: number of places evaluated.
K: Final = 10


@dataclass(frozen=True, eq=False)
class Workspace:
    """A workspace's settings and history.

    Attributes
    ----------
    config : Config
    history : History
        Without customers who do not consent to profiling, as training sees it.
    """

    config: Config
    history: History

    @classmethod
    def open(cls, folder: str | Path = ".") -> "Workspace":
        """Open a workspace that was ingested.

        Parameters
        ----------
        folder : str or Path
            The workspace, or its ``omnibasket.toml``; the current folder by default.

        Returns
        -------
        Workspace
            With the history that is current now, whatever is ingested later.

        Raises
        ------
        ConfigError
            When there is no workspace, or a setting is wrong.
        DataError
            When nothing was ingested yet.
        LedgerError
            When it cannot be read what customers consent to.
        """
        config = load_config(folder)
        _quiet_progress_bars()
        return cls(config, without_refusers(config, History.open(config)).history)

    @cached_property
    def split(self) -> splits.Split:
        """The validation and the test window at the end of the history."""
        con = self.history.connect()
        try:
            lines = con.table("lines")
            known = lines.filter(lines.customer_id.notnull() & (lines.kind == SALE))
            at = known.occurred_at
            (ends,) = con.to_pyarrow(known.aggregate(first=at.min(), last=at.max())).to_pylist()
        finally:
            con.disconnect()
        if ends["first"] is None:
            raise DataError(
                f"{self.history.folder}: no order names a customer, so there is nobody to "
                "recommend to. Map identifiers under [sources.NAME.identifiers]."
            )
        first_ts, last_ts = (int(ends[name].timestamp()) for name in ("first", "last"))
        train = self.config.train
        return splits.by_time(first_ts, last_ts, train.test_days, train.validation_days)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Title of each product that has one, by ``item_id``."""
        table = self.history.table("products")
        pairs = zip(table["item_id"].to_pylist(), table["title"].to_pylist(), strict=True)
        return {item_id: title for item_id, title in pairs if title}

    def fit(self, name: str, *, before_ts: int | None = None, **settings: Any) -> FittedModel:
        """Fit one model on what was before a moment.

        Parameters
        ----------
        name : str
            One of ``recsys.models.MODELS``.
        before_ts : int, optional
            UTC epoch seconds; the start of the test window by default, so that ``evaluate`` is
            honest.
        **settings
            In place of those of the workspace's ``[models.NAME]``.

        Returns
        -------
        FittedModel

        Raises
        ------
        ConfigError
            When there is no such model or setting; names the nearest.
        DataError
            When there is nothing before that moment.
        """
        if name not in MODELS:
            raise ConfigError(unknown_name(name, MODELS, "model "))
        section = getattr(self.config.models, name)
        given = {**msgspec.to_builtins(section), **settings}
        if found := explain_error(given, type(section), f"models.{name}"):
            raise ConfigError(f"{found[0]}: {found[1]}")
        until_ts = self.split.test.start_ts if before_ts is None else before_ts
        training = self._training(until_ts)
        model = MODELS[name](msgspec.convert(given, type(section))).fit(training)
        changed = ", ".join(f"{key}={value}" for key, value in settings.items())
        label = f"{name} ({changed})" if changed else name
        return FittedModel(label, model, training, self.history, self.titles)

    def fit_ranker(self) -> RankerStudy:
        """Learn everything that answers, as ``omnibasket train`` does before it judges.

        Returns
        -------
        RankerStudy
            How to rank was learned on the validation window, by models that knew nothing of it;
            the models it ranks with know nothing of the test window.

        Raises
        ------
        DataError
            When too few customers came back in a window.
        """
        config, (validation, test) = self.config, (self.split.validation, self.split.test)
        before = fit.fit_on(config, self._training(validation.start_ts))
        watched, training_window = fit.observe_window(config, self.history, before, validation)
        learned = fit.fit_ranking(config, [training_window])
        came = watched.only(np.flatnonzero(np.diff(watched.relevant().indptr)))
        grid = len(OwnFrequency.grid)
        baseline = tune_baseline(OwnFrequency.name, before.training, came, grid, K)
        then = fit.fit_on(config, self._training(test.start_ts))
        customers = self._evaluation_set(then.training, test)
        ranker, own = then.ranker(learned), baseline.fit(then.training)
        return RankerStudy("ranker", ranker, then.training, customers, own, config.train.seed)

    def customers(self, n: int = 5) -> list[str]:
        """Name the customers with most orders before the test window, most first.

        Parameters
        ----------
        n : int
            Customers, at most.

        Returns
        -------
        list of str
            Each a ``customer_id``; of equally many orders, who came first stands first.
        """
        con = self.history.connect()
        try:
            lines = con.table("lines")
            sold = lines.filter(
                lines.customer_id.notnull()
                & (lines.kind == SALE)
                & (lines.occurred_at < timestamp_of(self.split.test.start_ts))
            )
            orders = sold.group_by("customer_id").agg(
                orders=sold.order_id.nunique(),
                first_at=sold.occurred_at.min(),
                first=sold.order_id.min(),
            )
            most = orders.order_by(ibis.desc("orders"), "first_at", "first").limit(n)
            found: list[str] = con.to_pyarrow(most)["customer_id"].to_pylist()
        finally:
            con.disconnect()
        return found

    def purchases(self, customer_id: str) -> "pd.DataFrame":
        """Show what a customer bought and brought back, the latest first.

        Parameters
        ----------
        customer_id : str
            For example one of ``customers``; without purchases the frame is empty.

        Returns
        -------
        DataFrame
            ``occurred_at, channel, location_id, item_id, title, quantity, amount_minor``.
        """
        con = self.history.connect()
        try:
            lines = con.table("lines")
            theirs = lines.filter((lines.customer_id == customer_id) & (lines.kind != CORRECTION))
            ordered = theirs.order_by(ibis.desc("occurred_at"), "order_id", "line_no")
            columns = ["occurred_at", "channel", "location_id", "item_id", "quantity"]
            table = con.to_pyarrow(ordered.select(*columns, "amount_minor"))
        finally:
            con.disconnect()
        frame: pd.DataFrame = table.to_pandas()
        frame.insert(4, "title", frame["item_id"].map(self.titles))
        return frame

    def ask(
        self, placement: str, customer_id: str | None = None, *, cart: Sequence[str] = ()
    ) -> "pd.DataFrame":
        """Show what the current artefact answers, as of the moment its knowledge ends.

        Parameters
        ----------
        placement : str
            A placement of the workspace, for example ``web_home``.
        customer_id : str, optional
            A stranger by default.
        cart : sequence of str
            Items in the cart.

        Returns
        -------
        DataFrame
            ``item_id, title, score, reason``; ``score`` is the chance of purchase.

        Raises
        ------
        ConfigError
            When there is no such placement.
        ArtefactError
            When nothing was trained yet.
        """
        import pandas as pd

        engine = self._engine
        as_of_ts = int(engine.manifest.as_of.timestamp())
        wanted = [customer_id] if customer_id else []
        rows = dict(read_rows(self.history, until_ts=as_of_ts, customer_ids=wanted))
        question = Question(
            placement=placement,
            settings=find_placement(self.config, placement),
            as_of_ts=as_of_ts,
            cart=tuple(cart),
            customer_known=customer_id in rows,
        )
        (answer,) = engine.recommend([question], [rows.get(customer_id or "", EMPTY)])
        shown = [{**item, "reason": item["reason"]["text"]} for item in answer["items"]]
        columns = ["item_id", "title", "score", "reason"]
        ranks = pd.RangeIndex(1, len(shown) + 1, name="rank")
        return pd.DataFrame(shown, index=ranks, columns=columns)

    def bundles(self, **settings: Any) -> BundleStudy:
        """Look into what the current artefact found to sell together.

        Parameters
        ----------
        **settings
            In place of those of ``[bundles]``; bundles are found anew with them.

        Raises
        ------
        ArtefactError
            When nothing was trained yet.
        ConfigError
            When there is no such setting; names the nearest.
        DataError
            When the history was ingested anew since, and holds other products.
        """
        engine = self._engine
        training = self._training(int(engine.manifest.as_of.timestamp()))
        return BundleStudy.of(engine, training, self.history, self.config.bundles, **settings)

    def evaluate(
        self, *fitted: FittedModel | RankerStudy, k: int = K, window: splits.Window | None = None
    ) -> "pd.DataFrame":
        """Evaluate models, or the whole ranker, on what customers bought in a window.

        Parameters
        ----------
        *fitted : FittedModel or RankerStudy
            Fitted on what was before the window.
        k : int
            Places that count.
        window : Window, optional
            The test window by default. Choose settings on ``split.validation``, or the test
            window no longer tells how good they are.

        Returns
        -------
        DataFrame
            One row a model: means over the same customers of ``ndcg@k``, ``recall@k``, ``hr@k``
            and ``new_ndcg@k`` (what they had never bought), ``low`` and ``high`` of the first one's
            95% bootstrap interval, and ``coverage@k``.

        Raises
        ------
        ValueError
            When a model knows something of the window.
        DataError
            When too few customers came back in it.
        """
        import pandas as pd

        window = window or self.split.test
        for each in fitted:
            if each.training.as_of_ts > window.start_ts:
                raise ValueError(f"{each!r}: that is later than the window's start ({window}).")
        rows = {}
        customers: dict[int, evaluation_set.EvaluationSet] = {}
        for each in fitted:
            training, seed = each.training, self.config.train.seed
            if id(training) not in customers:
                customers[id(training)] = self._evaluation_set(training, window)
            known = customers[id(training)]
            shown, new = each.lists(known.histories, known.context(), k)
            rows[each.label] = figures_of(shown, new, known, k, seed)
        return pd.DataFrame(rows).T.rename_axis("model")

    def _evaluation_set(
        self, training: TrainingSet, window: splits.Window
    ) -> evaluation_set.EvaluationSet:
        """Customers who came back in a window, as those who fitted on ``training`` know them."""
        seed = self.config.train.seed
        return evaluation_set.read(self.history, training.index, window, active=JUDGED, seed=seed)

    @cached_property
    def _engine(self) -> Engine:
        return Engine.load(registry.current(self.config), stock=self.config.stock)

    @cached_property
    def _trainings(self) -> dict[int, TrainingSet]:
        return {}

    def _training(self, until_ts: int) -> TrainingSet:
        """What was before a moment, read once for all models."""
        if until_ts not in self._trainings:
            train = self.config.train
            self._trainings[until_ts] = TrainingSet.read(
                self.history, until_ts, seed=train.seed, threads=train.threads
            )
        return self._trainings[until_ts]


def _quiet_progress_bars() -> None:
    """Load the progress bars of implicit, which complain in a notebook without ipywidgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("tqdm.auto")
