"""A path holds any product's id: the right one, or none."""

from urllib.parse import quote

import hypothesis.strategies as st
from flask import Flask
from hypothesis import given

from serving.http.item_id_converter import ItemIdConverter

app = Flask("ids")
app.url_map.strict_slashes = False  # as the service has it
app.url_map.merge_slashes = False
app.url_map.converters["item"] = ItemIdConverter
app.add_url_rule("/p/<item:item_id>", view_func=lambda item_id: {"id": item_id}, endpoint="p")
app.add_url_rule(
    "/v1/items/<item:item_id>/similar", view_func=lambda item_id: {"id": item_id}, endpoint="s"
)

#: No control characters, which no id has, and no lone surrogates, which no path has.
ids = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1).filter(
    lambda text: set(text) - set("./\\")
)


@given(ids.flatmap(lambda text: st.sampled_from([text, f"/{text}", f"{text}/", f"a//{text}"])))
def test_every_id_arrives_as_it_is(item_id: str) -> None:
    client = app.test_client()
    for path in (f"/p/{quote(item_id, safe='')}", f"/v1/items/{quote(item_id, safe='')}/similar"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.get_json() == {"id": item_id}
