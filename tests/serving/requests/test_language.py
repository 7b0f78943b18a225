"""Which language an answer is in: the request's, the placement's, or the workspace's."""

import json

import msgspec
import pytest
from flask.testing import FlaskClient

from recsys.config.toml_file import Config
from recsys.languages import TAGS
from serving.schemas import Recommendations
from tests.serving.conftest import Serve, ask, ids, known


@pytest.fixture
def german(config: Config, serve: Serve) -> FlaskClient:
    """A workspace in German, whose placement `tablet` is in Arabic."""
    replace = msgspec.structs.replace
    placements = dict(config.placements)
    placements["tablet"] = replace(placements["tablet"], lang="ar")
    workspace = replace(config.workspace, language="de")
    return serve(replace(config, workspace=workspace, placements=placements)).test_client()


@pytest.mark.parametrize("lang", TAGS)
def test_an_answer_says_the_same_in_every_language(client: FlaskClient, lang: str) -> None:
    fields = {**known(0), "location_id": "S1", "count": 8}
    english = ask(client, **fields)
    answer = ask(client, lang=lang, **fields)
    assert answer["lang"] == lang
    assert "warnings" not in answer
    msgspec.convert(answer, Recommendations)
    assert ids(answer) == ids(english)
    for said, told in zip(
        [answer["heading"], *(item["reason"] for item in answer["items"])],
        [english["heading"], *(item["reason"] for item in english["items"])],
        strict=True,
    ):
        assert (said["text"] == told["text"]) == (lang == "en")
        assert {**said, "text": ""} == {**told, "text": ""}


def test_the_request_comes_before_the_placement_and_that_before_the_workspace(
    german: FlaskClient,
) -> None:
    assert ask(german)["lang"] == "de"
    assert ask(german, "tablet")["lang"] == "ar"
    assert ask(german, "tablet", lang="fr-CA")["lang"] == "fr"


def test_a_language_that_is_not_offered_is_told(client: FlaskClient, german: FlaskClient) -> None:
    for asked, fallback in ((client, "en"), (german, "de")):
        answer = ask(asked, lang="nl-BE")
        assert answer["lang"] == fallback
        (warning,) = answer["warnings"]
        assert warning["pointer"] == "/lang"
        assert f"`nl-BE` is not offered; this answer is in `{fallback}`." in warning["detail"]


@pytest.mark.parametrize("lang", ["", "e", "de_AT", "de-", "german language", "x" * 60])
def test_what_is_no_language_tag_is_refused(client: FlaskClient, lang: str) -> None:
    for answer in (
        client.post("/v1/recommendations", json={"placement": "web_home", "lang": lang}),
        client.get("/v1/recommendations", query_string={"placement": "web_home", "lang": lang}),
    ):
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/lang"


def test_each_line_of_a_batch_may_have_its_own(client: FlaskClient) -> None:
    customers = [known(0), {**known(1), "lang": "ar"}, {**known(2), "lang": "nl"}]
    body = {"placement": "web_home", "lang": "de", "unknown": "answer"}
    body["customers"] = customers
    lines = client.post("/v1/recommendations/batch", json=body).text.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["lang"] for answer in answers] == ["de", "ar", "en"]
    assert [len(answer.get("warnings", ())) for answer in answers] == [0, 0, 1]


def test_a_product_page_has_its_heading_in_the_language(client: FlaskClient) -> None:
    answer = client.get("/v1/items/pasta/bought-together?lang=de").get_json()
    assert answer["lang"] == "de"
    assert answer["heading"]["text"].startswith("Passt gut zu ")
    english = client.get("/v1/items/pasta/bought-together").get_json()
    assert english["lang"] == "en"
    assert {**english["heading"], "text": ""} == {**answer["heading"], "text": ""}


def test_bundles_say_in_it_what_they_assume(client: FlaskClient) -> None:
    page = client.get("/v1/bundles?show=all&lang=de").get_json()
    assert page["lang"] == "de"
    bundle_id = page["bundles"][0]["bundle_id"]
    one = client.get(f"/v1/bundles/{bundle_id}?lang=de").get_json()
    assert one["pricing"]["estimate"].startswith("Eine Schätzung, keine Messung.")
    assert client.get(f"/v1/bundles/{bundle_id}?lang=nl").get_json()["warnings"]
    assert client.get(f"/v1/bundles/{bundle_id}?lang=d").status_code == 422


def test_a_decision_is_told_in_it(client: FlaskClient) -> None:
    answer = ask(client, exclude=["pasta"], **known(0))
    path = f"/v1/decisions/{answer['recommendation_id']}"
    told = client.get(path, query_string={"lang": "de"}).get_json()
    assert told["lang"] == "de"
    assert any("die Anfrage ausschloss" in text for text in told["text"])
