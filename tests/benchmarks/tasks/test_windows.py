"""What a shopper cannot tell apart, as the two tasks of 28 days say it."""

import numpy as np
import pyarrow as pa

from benchmarks.tasks import windows
from benchmarks.tasks.task import Cut, opened, save
from tests.benchmarks.test_measurement import problem


def cut(items):
    return Cut(problem(), problem(), ["a", "b", "c", "d"], items)


def test_titles_brands_and_price_classes_make_a_choice():
    items = ["red", "red_too", "red_dear", "red_other", "nameless"]
    titles = {
        "red": "Red cup",
        "red_too": "red  CUP",
        "red_dear": "Red cup",
        "red_other": "Red cup",
    }
    brands = {name: "9" if name == "red_other" else "7" for name in items}
    prices = {"red": 100, "red_too": 120, "red_dear": 900, "red_other": 100}
    made = windows._with_choices(cut(items), titles, brands, prices, 1.5)
    assert made.choice == [0, 0, 2, 3, 4]


def test_prices_are_medians_of_what_was_paid_before():
    item = pa.chunked_array([["a", "a", "a", "a", "b", "b"]])
    at = pa.chunked_array([pa.array([1, 2, 3, 9, 1, 9]).cast(pa.timestamp("s"))])
    price = pa.chunked_array([[1.0, 3.0, 2.0, 50.0, 0.0, 5.0]])
    assert windows._prices(item, at, price, 9) == {"a": 200}
    infinite = pa.chunked_array([np.array([np.inf, 1.0, 2.0, 3.0, np.nan, 5.0])])
    assert windows._prices(item, at, infinite, 9) == {"a": 150}


def test_choices_are_kept_with_what_was_cut(tmp_path):
    made = windows._with_choices(cut(["x", "y"]), {"x": "T", "y": "t"}, {}, {}, 1.5)
    save(made, tmp_path)
    again = opened(tmp_path)
    assert again.choice == [0, 0]
    assert again.choices.of.tolist() == [0, 0]
    save(cut(["x", "y"]), tmp_path)
    assert opened(tmp_path).choices is None
