"""The file with the best settings, and omnibasket.toml after applying them."""

import tomllib

import pytest

from recsys.config.toml_file import Config, load_config
from recsys.errors import ConfigError
from training.tune.space import Space
from training.tune.written import check_writable, take_over, write

OWN = """# Our shop.
[workspace]
name = "Corner"  # as on the sign

[models.als]
# Small, it is a small shop.
factors = 8  # one a shelf

[train]
test_days = 10
"""


def found(path, **changed):
    space = Space.of(Config())
    names = {name.replace("models.", "").replace(".", "_"): name for name in space.present}
    values = {**space.present, **{names[name]: value for name, value in changed.items()}}
    write(path, space, values, ["on a Sunday.", "  laid  out"])
    return path


def test_only_what_differs_is_written_with_unit_and_value_before(tmp_path):
    path = found(tmp_path / "tuned.toml", als_factors=32, als_weights_cart=1.5)
    assert path.read_text() == (
        "# Settings that `omnibasket tune` found\n"
        "# on a Sunday.\n"
        "#   laid  out\n\n"
        "[models.als]\n"
        "factors = 32  # numbers; was 64\n\n"
        "[models.als.weights]\n"
        "cart = 1.5  # purchases; was 0.5\n"
    )
    check_writable(path)  # its own file may be overwritten


def test_a_value_of_the_workspace_is_written_although_it_is_as_before(tmp_path):
    (tmp_path / "omnibasket.toml").write_text(OWN)
    space = Space.of(load_config(tmp_path))
    write(tmp_path / "tuned.toml", space, {**space.present, "models.repeat.due": 0.75}, [])
    assert tomllib.loads((tmp_path / "tuned.toml").read_text()) == {
        "models": {"als": {"factors": 8}, "repeat": {"due": 0.75}}
    }


def test_taking_over_keeps_comments_and_changes_nothing_else(tmp_path):
    own = tmp_path / "omnibasket.toml"
    own.write_text(OWN)
    path = found(tmp_path / "tuned.toml", als_factors=32, als_weights_cart=1.5, repeat_due=0.75)
    assert take_over(path, own) == [
        ("models.repeat.due", None, 0.75),
        ("models.als.factors", 8, 32),
        ("models.als.weights.cart", None, 1.5),
    ]
    config = load_config(tmp_path)
    assert (config.models.als.factors, config.models.als.weights.cart) == (32, 1.5)
    assert (config.models.repeat.due, config.train.test_days) == (0.75, 10)
    text = own.read_text()
    for kept in OWN.replace("factors = 8", "factors = 32").splitlines():
        assert kept in text.splitlines()
    assert take_over(path, own) == []
    assert own.read_text() == text


@pytest.mark.parametrize(
    "own",
    [
        "[models]\nals = { factors = 8 }\n",
        "models.als.factors = 8\n",
        "\ufeff[models.als]\r\nfactors = 8\r\n",
        "[models.als]\nfactors = 8\n[serve]\nport = 1\n[models.repeat]\ndue = 0.1\n",
        "",
    ],
)
def test_however_the_file_is_written_it_takes_the_settings(tmp_path, own):
    target = tmp_path / "omnibasket.toml"
    target.write_bytes(own.encode())
    path = found(tmp_path / "tuned.toml", als_factors=32, repeat_due=0.75)
    take_over(path, target)
    config = load_config(tmp_path)
    assert (config.models.als.factors, config.models.repeat.due) == (32, 0.75)
    assert config.serve.port in (1, 8470)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[models.als]\nfactors = 0\n",
            "models.als.factors: expected a whole number of at",
        ),
        ("[models.als]\nfactor = 1\n", "Did you mean `factors`?"),
        ("[serve]\nport = 1\n", "`serve.port` is none of the settings that are tuned"),
        ("factors 1\n", "not valid TOML"),
        (None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_taken_over_changes_nothing(tmp_path, text, message):
    (tmp_path / "omnibasket.toml").write_text(OWN)
    path = tmp_path / "tuned.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        take_over(path, tmp_path / "omnibasket.toml")
    assert message in str(raised.value)
    assert str(path) in str(raised.value)
    assert (tmp_path / "omnibasket.toml").read_text() == OWN


def test_what_tune_did_not_write_is_not_written_over(tmp_path):
    own = tmp_path / "omnibasket.toml"
    own.write_text(OWN)
    for path, message in (
        (own, "did not write"),
        (tmp_path, "that is a folder"),
        (tmp_path / "none" / "tuned.toml", "no file can be written there"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_writable(path)
    assert [path.name for path in tmp_path.iterdir()] == ["omnibasket.toml"]
