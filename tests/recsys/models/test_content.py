import numpy as np
import pytest

from recsys.config.model_settings import ContentSettings as Settings
from recsys.datasets.products import Products
from recsys.datasets.ragged import Lists
from recsys.errors import NotFittedError
from recsys.models import content
from recsys.models.base import Batch, Context
from recsys.models.content import Content
from tests.recsys.models.contract import ModelContract
from tests.recsys.models.worlds import AS_OF, DAY, Order, batch, history, train


class TestContent(ModelContract):
    @classmethod
    def make(cls):
        return Content()


SHELF = {
    # item: title, category, brand, family
    "ham6": ("Smoked ham, 6 oz", 0, 0, -1),
    "ham9": ("Smoked ham, 9 oz", 0, 0, -1),
    "hamx": ("Smoked ham, 9 oz", 0, 1, -1),
    "pork": ("Smoked pork", 0, 0, -1),
    "brie": ("Brie", 1, 0, -1),
    "shirt_s": ("Shirt red", 2, 2, 5),
    "shirt_m": ("Camicia", -1, -1, 5),
    "dumb": ("", -1, -1, -1),
}


def shop(sold=("pork",), availability=SHELF):
    names = sorted({*availability, *sold})
    told = [availability.get(name, ("", -1, -1, -1)) for name in names]
    title, category, brand, family = zip(*told, strict=True)
    columns = [np.array(values, np.int32) for values in (brand, brand, family)]
    return train(
        [Order("c", [item]) for item in sold],
        more=names,
        category=dict(zip(names, category, strict=True)),
        products=Products(title, [""] * len(names), *columns),
    )


def ids(training, found):
    return [training.index.item_ids[ix] for ix in found.item_ix]


def ask(model, training, item, n=10, **more):
    return model.similar(int(training.index.ix_of([item])[0]), n, **more)


def test_the_like_of_a_product_is_told_with_what_they_share():
    training = shop()
    model = Content(Settings(words=0.5, category=0.3, brand=0.2)).fit(training)
    found = ask(model, training, "ham6")
    assert ids(training, found) == ["ham9", "hamx", "pork", "brie"]
    assert found.scores[[0, 1, 3]] == pytest.approx([1.0, 0.8, 0.2])
    assert 0.5 < found.scores[2] < 0.8
    assert found.words == pytest.approx([1, 1, (found.scores[2] - 0.5) / 0.5, 0], abs=1e-6)
    assert found.category.tolist() == [True, True, True, False]
    assert found.brand.tolist() == [True, False, True, True]
    assert found.variant.tolist() == [True, False, False, False]


def test_sizes_and_families_are_variants():
    training = shop()
    model = Content().fit(training)
    assert ids(training, ask(model, training, "ham6", variants=True)) == ["ham9"]
    assert ids(training, ask(model, training, "ham6", variants=False)) == ["hamx", "pork", "brie"]
    # Nothing in common but that the catalogue says so.
    assert ids(training, ask(model, training, "shirt_m")) == ["shirt_s"]
    assert ids(training, ask(model, training, "shirt_s", variants=True)) == ["shirt_m"]
    assert ids(training, ask(model, training, "shirt_s", variants=False)) == []


def test_of_equals_what_sells_comes_first():
    availability = {f"t{n}": ("Green tea", 0, 0, -1) for n in range(9)}
    training = shop(sold=("t4", "t4", "t7"), availability=availability)
    model = Content().fit(training)
    assert ids(training, ask(model, training, "t0", 4)) == ["t4", "t7", "t1", "t2"]


def test_only_what_may_be_named_is_named():
    training = shop()
    model = Content().fit(training)
    among = np.isin(training.index.item_ids, ["brie", "hamx"])
    assert ids(training, ask(model, training, "ham6", among=among)) == ["hamx", "brie"]


def test_nothing_is_like_a_product_of_which_nothing_is_known():
    training = shop()
    model = Content().fit(training)
    found = ask(model, training, "dumb")
    assert [len(column) for column in found] == [0] * 6
    assert found.item_ix.dtype == np.int32
    nothing = train([Order("c", ["tea"])])
    assert ids(nothing, ask(Content().fit(nothing), nothing, "tea")) == []


def test_a_product_that_is_not_there_is_an_error():
    training = shop()
    with pytest.raises(NotFittedError, match="content"):
        Content().similar(0, 5)
    with pytest.raises(IndexError, match="of a catalogue of 8"):
        Content().fit(training).similar(8, 5)


def shown(model, training, *purchases, n=10, **more):
    found = model.recommend(batch(training, history(*purchases)), n, Context.of(1, AS_OF), **more)
    names = [training.index.item_ids[ix] for ix in found.item_ix]
    return dict(zip(names, found.scores.tolist(), strict=True))


def test_what_nobody_bought_yet_is_found_by_its_kind():
    training = shop(sold=("ham6",))
    found = shown(Content().fit(training), training, ("ham6",), new_only=True)
    assert list(found) == ["ham9", "hamx", "pork", "brie"]


def test_the_score_is_likeness_by_habit_and_how_it_sells():
    training = shop(sold=("hamx", "hamx", "brie"))
    settings = Settings(words=0.5, category=0.3, brand=0.2, half_life_days=10)
    model = Content(settings).fit(training)
    found = shown(model, training, ("ham6", AS_OF - 1), ("brie", AS_OF - 10 * DAY))
    ham, brie = np.log1p(1), np.log1p(0.5)
    sold = 2 * 2 ** (-1 / 30)
    expected = (0.8 * ham + 0.0 * brie) / (ham + brie) * np.log(2 + sold)
    assert found["hamx"] == pytest.approx(expected, rel=1e-4)
    assert found["ham9"] == pytest.approx((ham + 0.2 * brie) / (ham + brie) * np.log(2), rel=1e-4)


def test_a_feature_names_what_sells_and_some_that_is_new(monkeypatch):
    monkeypatch.setattr(content, "_SELLERS", 2)
    monkeypatch.setattr(content, "_UNSOLD", 1)
    availability = {f"t{n}": ("Tea", 0, 0, -1) for n in range(9)}
    training = shop(sold=("t3", "t5", "t5", "t8", "t8", "t8"), availability=availability)
    assert list(shown(Content().fit(training), training, ("t7",))) == ["t8", "t5", "t0"]


def test_the_reason_is_the_purchase_that_is_most_alike():
    training = shop()
    model = Content().fit(training)
    people = batch(training, history(("brie",), ("ham6",)), history(("dumb",)))
    wanted = training.index.ix_of(["ham9", "dumb", "ham9"])
    found = model.because(Batch(people, Context.of(2, AS_OF)), Lists(np.array([0, 2, 3]), wanted))
    assert [training.index.item_ids[ix] if ix >= 0 else None for ix in found.item_ix] == [
        "ham6",
        None,
        None,
    ]
    assert found.words == pytest.approx([1, 0, 0])
