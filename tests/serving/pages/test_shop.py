"""What a shop's page loads, and the example shop, without a browser."""

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from tests.serving.conftest import Serve


@pytest.fixture
def shop_client(config: Config, serve: Serve) -> FlaskClient:
    settings = msgspec.structs.replace(config.serve, example_shop=True)
    return serve(msgspec.structs.replace(config, serve=settings)).test_client()


@pytest.mark.parametrize(
    ("name", "kind"), [("omnibasket.js", "text/javascript"), ("omnibasket.css", "text/css")]
)
def test_a_page_of_any_origin_may_load_the_file(client: FlaskClient, name: str, kind: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.mimetype == kind
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = client.get(f"/static/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_nothing_else_lies_under_static(client: FlaskClient) -> None:
    for name in ("nothing.js", "..%2Fapp.py", "%2Fetc%2Fpasswd"):
        assert client.get(f"/static/{name}").status_code == 404


def test_the_example_shop_is_there_only_where_it_is_wanted(client: FlaskClient) -> None:
    assert client.get("/shop").status_code == 404
    assert client.get("/shop/items/pasta").status_code == 404
    assert client.get("/shop/cart").status_code == 404


def test_titles_are_text_whatever_they_hold(shop_client: FlaskClient) -> None:
    page = shop_client.get("/shop/items/milk").get_data(as_text=True)
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert shop_client.get("/shop/items/nothing").status_code == 404
    assert shop_client.get("/shop").status_code == shop_client.get("/shop/cart").status_code == 200
