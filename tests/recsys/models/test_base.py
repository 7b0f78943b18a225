import pytest

from recsys.config import model_settings
from recsys.datasets.customer_history import NO_CHANNEL
from recsys.models import MODELS, from_settings
from recsys.models.base import Context


def test_a_context_is_one_value_for_all_or_one_each():
    context = Context.of(3, 100, location=[1, 2, 3], cart=[[4], [], [5, -1]])
    assert context.as_of_ts.tolist() == [100, 100, 100]
    assert context.channel.tolist() == [NO_CHANNEL] * 3
    assert context.cart.item_ix.tolist() == [4, 5]  # what the catalogue does not hold is dropped
    part = context[1:]
    assert (len(part), part.location.tolist()) == (2, [2, 3])
    assert part.cart.indptr.tolist() == [0, 0, 1]
    assert part.cart.item_ix.tolist() == [5]
    assert len(context[2:1]) == 0
    with pytest.raises(ValueError, match="1 carts for 2 questions"):
        Context.of(2, 100, cart=[[1]])
    with pytest.raises(ValueError, match="step 1"):
        context[::2]


def test_there_is_a_model_for_every_section_of_the_settings():
    assert tuple(MODELS) == model_settings.ModelSettings.__struct_fields__
    sections = model_settings.ModelSettings(als=model_settings.AlsSettings(factors=3))
    models = from_settings(sections)
    assert models["als"].settings.factors == 3
    on = {name: model for name, model in MODELS.items() if name != "bpr"}
    assert {name: type(model) for name, model in models.items()} == on


def test_a_model_can_be_switched_on():
    sections = model_settings.ModelSettings(bpr=model_settings.BprSettings(enabled=True))
    assert list(from_settings(sections)) == list(MODELS)
