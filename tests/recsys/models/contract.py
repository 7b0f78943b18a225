"""What every model keeps to; each model's test inherits it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.datasets.customer_history import EMPTY, EVENTS, Histories, add_events
from recsys.datasets.item_index import item_keys
from recsys.datasets.ragged import Lists
from recsys.errors import NotFittedError
from recsys.models.base import Batch, Context, Model, Recommendations
from tests.recsys.models.worlds import (
    AS_OF,
    DAY,
    LOCATIONS,
    batch,
    checkerboard,
    customers_of,
    history,
    square,
)

N = 20

purchases = st.tuples(
    st.integers(0, N + 3).map(square),
    st.integers(0, 200).map(lambda days: AS_OF - days * DAY),
    st.sampled_from([1.0, 1.0, 2.0, 0.4, -1.0]),
)
rows = st.lists(st.lists(purchases, max_size=12).map(lambda some: history(*some)), max_size=6)


def same(one: Recommendations, other: Recommendations) -> None:
    """Equal to the last bit."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


class ModelContract:
    #: Whether the model can name what the customer never bought.
    finds_new = True
    #: Whether it has something to show to a customer without a history.
    knows_strangers = False

    @classmethod
    def make(cls) -> Model:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def world(cls):
        return checkerboard(N, seed=3, threads=2)

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls, world):
        return cls.make().fit(world)

    @pytest.fixture(scope="class")
    @classmethod
    def everyone(cls, world):
        return customers_of(world)

    @pytest.fixture(scope="class")
    @classmethod
    def context(cls):
        return Context.of(N, AS_OF, location=[LOCATIONS[u % 2] for u in range(N)])

    def test_finds_the_hidden_square(self, fitted, world, everyone, context):
        found = fitted.recommend(everyone, 1, context, new_only=True)
        if not self.finds_new:
            assert len(found.item_ix) == 0
            return
        assert found.indptr.tolist() == list(range(N + 1))
        assert [world.index.item_ids[ix] for ix in found.item_ix] == [square(u) for u in range(N)]

    def test_a_second_fit_equals_a_fresh_one(self, world):
        # The first world is smaller: what it left behind would be too short or not a number.
        twice = self.make().fit(checkerboard(8)).fit(world)
        fresh = self.make().fit(world)
        assert twice.arrays().keys() == fresh.arrays().keys()
        for name, array in fresh.arrays().items():
            np.testing.assert_array_equal(twice.arrays()[name], array)

    def test_a_wider_catalogue_leaves_no_holes(self, everyone, context):
        wider = checkerboard(N, more=[f"z{n}" for n in range(30)])
        model = self.make().fit(checkerboard(N, more=())).fit(wider)
        for array in model.arrays().values():
            assert array.dtype.hasobject is False
            if array.dtype.kind == "f":
                assert np.isfinite(array).all()
        found = model.recommend(customers_of(wider), 100, context)
        assert np.isfinite(found.scores).all()
        assert (found.item_ix < N).all()  # what nobody ever bought has no score

    def test_the_same_seed_gives_the_same(self, fitted, world):
        again = self.make().fit(world)
        for name, array in fitted.arrays().items():
            np.testing.assert_array_equal(again.arrays()[name], array)

    def test_what_the_catalogue_does_not_hold_changes_nothing(self, fitted, world, context):
        known = history(("p02",), ("p04",))
        more = history(("p02",), ("p04",), ("gone",), ("no longer made",))
        one, other = (fitted.recommend(batch(world, row), 5, context[:1]) for row in (known, more))
        same(one, other)

    def test_an_empty_history_is_no_error(self, fitted, world):
        nobody = Histories.from_rows([EMPTY, EMPTY], world.index, AS_OF)
        found = fitted.recommend(nobody, 5, Context.of(2, AS_OF))
        assert found.indptr.tolist() == ([0, 5, 10] if self.knows_strangers else [0, 0, 0])

    def test_looks_alone_are_no_error(self, fitted, world):
        """Views and carts without a purchase, of products known and unknown, of sales and none."""
        seen = [(item_keys([square(n)])[0], AS_OF - n, n % 2, 1) for n in (2, 4, 5, N + 3)]
        seen.append((item_keys(["never1"])[0], AS_OF - 60, 0, 1))
        looker = add_events(history(), np.array(seen, EVENTS))
        buyer = add_events(history(("p02", AS_OF - DAY)), np.array(seen, EVENTS))
        people = batch(world, looker, history(), buyer)
        asked = Context.of(3, AS_OF, location=LOCATIONS[0])
        found = fitted.recommend(people, 6, asked)
        assert np.isfinite(found.scores).all()
        for r in range(3):
            alone = fitted.recommend(people[r : r + 1], 6, asked[r : r + 1])
            same(alone, Recommendations(np.array([0, len(found.row(r)[0])]), *found.row(r)))

    def test_short_lists_stay_short(self, fitted, world, everyone, context):
        found = fitted.recommend(everyone, 10_000, context)
        for r in range(N):
            items, scores = found.row(r)
            assert len(items) <= world.n_items
            assert len(set(items.tolist())) == len(items)
            assert np.isfinite(scores).all()
        assert found.item_ix.dtype == np.int32
        assert found.scores.dtype == np.float32
        assert found.indptr.dtype == np.int64

    def test_nothing_is_left_when_everything_is_owned(self, fitted, world):
        row = history(*((item,) for item in world.index.item_ids))
        found = fitted.recommend(batch(world, row), 5, Context.of(1, AS_OF), new_only=True)
        assert found.item_ix.tolist() == []

    def test_a_batch_equals_single_answers(self, fitted, world):
        @given(rows, st.integers(1, 30), st.booleans(), st.data())
        def holds(many, n, new_only, data):
            places = st.sampled_from([0, *LOCATIONS, 77])
            location = [data.draw(places) for _ in many]
            cart = [data.draw(st.lists(st.integers(0, N - 1), max_size=3)) for _ in many]
            asked = Context.of(len(many), AS_OF, location=location, channel=0, cart=cart)
            people = batch(world, *many)
            together = fitted.recommend(people, n, asked, new_only=new_only)
            for r in range(len(many)):
                part = slice(r, r + 1)
                alone = fitted.recommend(batch(world, many[r]), n, asked[part], new_only=new_only)
                same(Recommendations(alone.indptr, *together.row(r)), alone)
            wanted = Lists.of_rows([np.arange(world.n_items)] * len(many))
            shape = (len(many), world.n_items)
            scores = fitted.score(people, asked, wanted).reshape(shape)
            for r in range(len(many)):
                one = Lists.of_rows([np.arange(world.n_items)])
                np.testing.assert_array_equal(
                    fitted.score(people[r : r + 1], asked[r : r + 1], one), scores[r]
                )

        holds()

    def test_what_is_kept_of_a_batch_changes_no_answer(self, fitted, everyone, context, world):
        shared = Batch(everyone, context)
        for n in (3, 9, 3):
            same(fitted.candidates_of(shared, n), fitted.candidates(everyone, context, n))
        for new_only in (True, False):
            one, other = (
                fitted.candidates_of(shared, 4, new_only=new_only),
                fitted.candidates(everyone, context, 4, new_only=new_only),
            )
            same(one, other)
        wanted = Lists.of_rows([np.arange(world.n_items)] * N)
        np.testing.assert_array_equal(
            fitted.scores_of(shared, wanted), fitted.score(everyone, context, wanted)
        )

    def test_scores_are_those_of_the_candidates(self, fitted, everyone, context, world):
        found = fitted.candidates(everyone, context, 7)
        np.testing.assert_array_equal(fitted.score(everyone, context, found), found.scores)
        all_items = Lists.of_rows([np.arange(world.n_items)] * N)
        scores = fitted.score(everyone, context, all_items).reshape(N, -1)
        for r in range(N):
            items, best = found.row(r)
            if len(items) == 7:
                assert (np.delete(scores[r], items) <= best[-1]).all()
        one = Lists.of_rows([found.row(r)[0][:1] for r in range(N)])
        first = [found.row(r)[1][:1] for r in range(N)]
        np.testing.assert_array_equal(fitted.score(everyone, context, one), np.concatenate(first))

    def test_equal_scores_stand_in_the_order_of_the_items(self, fitted, everyone, context):
        found = fitted.recommend(everyone, 12, context)
        for r in range(N):
            items, scores = found.row(r)
            pairs = list(zip(-scores, items, strict=True))
            assert pairs == sorted(pairs)

    def test_a_shorter_list_is_the_beginning_of_a_longer_one(self, fitted, everyone, context):
        long = fitted.recommend(everyone, 9, context)
        for n in (1, 2, 5):
            short = fitted.recommend(everyone, n, context)
            for r in range(N):
                np.testing.assert_array_equal(short.row(r)[0], long.row(r)[0][:n])
                np.testing.assert_array_equal(short.row(r)[1], long.row(r)[1][:n])

    def test_arrays_bring_the_model_back(self, fitted, everyone, context, tmp_path):
        for name, array in fitted.arrays().items():
            np.save(tmp_path / f"{name}.npy", array, allow_pickle=False)
        arrays = {path.stem: np.load(path, mmap_mode="r") for path in tmp_path.glob("*.npy")}
        again = type(fitted).from_arrays(fitted.settings, arrays)
        one, other = (m.recommend(everyone, 9, context) for m in (again, fitted))
        same(one, other)

    def test_arrays_are_of_the_items_only(self):
        sizes = []
        for twins in (1, 2):
            model = self.make().fit(checkerboard(N, twins=twins))
            sizes.append({name: array.shape for name, array in model.arrays().items()})
        assert sizes[0] == sizes[1]

    def test_recommending_changes_nothing(self, fitted, everyone, context):
        before = {name: array.copy() for name, array in fitted.arrays().items()}
        ts, items = everyone.ts.copy(), everyone.item_ix.copy()
        first = fitted.recommend(everyone, 5, context)
        fitted.score(everyone, context, first)
        same(fitted.recommend(everyone, 5, context), first)
        for name, array in fitted.arrays().items():
            np.testing.assert_array_equal(array, before[name])
        np.testing.assert_array_equal(everyone.ts, ts)
        np.testing.assert_array_equal(everyone.item_ix, items)

    def test_what_was_returned_does_not_count(self, fitted, world, context):
        kept = history(("p02",), ("p04",))
        returned = history(("p02",), ("p04",), ("p05", AS_OF - 9, 1.0), ("p05", AS_OF - 8, -1.0))
        one, other = (
            fitted.recommend(batch(world, row), 20, context[:1]) for row in (kept, returned)
        )
        same(one, other)

    def test_settings_are_taken_as_they_are(self):
        model = self.make()
        assert type(model)(model.settings).settings is model.settings
        assert type(model)().settings == type(model.settings)()

    def test_nothing_is_answered_before_it_was_learned(self, everyone, context):
        model = self.make()
        for ask in (
            lambda: model.recommend(everyone, 5, context),
            lambda: model.score(everyone, context, Lists.of_rows([[]] * N)),
            model.arrays,
        ):
            with pytest.raises(NotFittedError, match=model.name):
                ask()

    def test_a_foreign_catalogue_is_refused(self, fitted, context):
        other = customers_of(checkerboard(N, more=["one", "two", "three"]))
        with pytest.raises(ValueError, match="take both from one artefact"):
            fitted.recommend(other, 5, context)

    def test_every_customer_needs_a_context(self, fitted, everyone, context):
        with pytest.raises(ValueError, match="20 histories, but the context of 19"):
            fitted.recommend(everyone, 5, context[:19])
