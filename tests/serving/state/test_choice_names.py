"""What is remembered of choices is what the engine says of them."""

from flask import Flask

from serving.state.choice_names import ChoiceNames
from tests.serving.conftest import ITEMS, state


def test_names_and_positions_are_those_of_the_engine(app: Flask) -> None:
    engine = state(app).loaded()
    names = ChoiceNames(engine)
    for asked in (ITEMS[:3], [*ITEMS, "unknown"], ["unknown", *ITEMS[5:2:-1]], []):
        assert names.of(asked) == engine.choices_of(asked)
        assert names.positions(names.of(asked)) == [
            engine.index.ix_of([name])[0] for name in engine.choices_of(asked)
        ]
