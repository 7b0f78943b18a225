"""What the figures of a bundle assume, in words."""

import pytest

from recsys.config.settings import BundleSettings
from recsys.languages import ENGLISH, language_of
from recsys.recommender.bundles.assumptions import assumptions, estimate
from recsys.recommender.bundles.suggestions import Suggestions
from recsys.recommender.engine import Engine


@pytest.fixture(scope="module")
def suggestions(artefact_folder):
    engine = Engine.load(artefact_folder)
    return Suggestions(engine, {}, BundleSettings(response=[1.0, 4.0], sample_share=0.025))


def test_they_name_what_is_not_in_the_data(suggestions):
    bundle = next(iter(suggestions.all()))
    said = assumptions(suggestions, bundle, ENGLISH)
    assert said[0] == "a product that costs a tenth less is bought 11% to 52% more often"
    assert said[-1].startswith("the history holds 2.50% of the business")
    german = assumptions(suggestions, bundle, language_of("de"))
    assert len(german) == len(said)
    assert "11\xa0% bis 52\xa0% öfter" in german[0]


def test_an_estimate_says_that_it_is_one():
    assert estimate(["a", "b"], ENGLISH) == (
        "An estimate, not a measurement: it assumes that a; that b. Only an experiment with "
        "customers who get no offer can say what it adds."
    )
    assert "dass a; dass b." in estimate(["a", "b"], language_of("de"))
