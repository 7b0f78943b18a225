"""Signing in with a key: what the cookie opens, what it does not, and for how long."""

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from recsys.config.toml_file import Config
from recsys.errors import LedgerError
from recsys.ledger.api_keys import KEPT_FILE, Grant, KeptKeys, Keys
from serving.access.key_cache import RENEW_SECONDS
from serving.access.session import COOKIE, SESSION_HOURS, Sessions
from tests.serving.conftest import Serve, state

from .test_admission import problem, renew

SECRET = "0123456789abcdef" * 2
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
APPROVE = {"status": "rejected"}


def make(app: Flask, *scopes: Any, **limits: Any) -> str:
    _, secret = state(app).ledger.keys.create(Grant(scopes=scopes, **limits), int(time.time()))
    renew(app)
    return secret


def sign_in(client: FlaskClient, key: str, **headers: str) -> TestResponse:
    return client.post("/dashboard/session", json={"key": key}, headers={**OWN, **headers})


@pytest.fixture
def key(app: Flask) -> str:
    return make(app, "marketing", name="Ada")


@pytest.fixture
def token(client: FlaskClient, key: str) -> str:
    """The token of a session in which the client is signed in."""
    answer = sign_in(client, key)
    assert answer.status_code == 200, answer.text
    found: str = answer.get_json()["csrf_token"]
    return found


def a_bundle(client: FlaskClient) -> str:
    found: str = client.get("/v1/bundles?limit=1&show=all").get_json()["bundles"][0]["bundle_id"]
    return found


def patch(
    client: FlaskClient, bundle_id: str, token: str | None = None, **headers: str
) -> TestResponse:
    sent = {"If-Match": '"0"', **headers} | ({"X-CSRF-Token": token} if token else {})
    sent = {name.replace("_", "-"): value for name, value in sent.items()}
    return client.patch(f"/v1/bundles/{bundle_id}", json=APPROVE, headers=sent)


def untouched(client: FlaskClient, bundle_id: str) -> bool:
    found = client.get(f"/v1/bundles/{bundle_id}").get_json()
    return bool(found["status"] == "suggested" and found["revision"] == 0 and not found["history"])


def test_a_session_opens_what_its_key_does(client: FlaskClient, token: str) -> None:
    bundle_id = a_bundle(client)
    answer = patch(client, bundle_id, token, **OWN)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["changed_by"] == "Ada"
    for path, needed in (("/v1/recommendations", "recommend"), ("/v1/events", "events")):
        refused = client.post(path, json={}, headers={**OWN, "X-CSRF-Token": token})
        assert needed in problem(refused, 403, "scope-missing").detail


def test_a_page_is_not_enough_to_change_something(client: FlaskClient, token: str) -> None:
    bundle_id = a_bundle(client)
    problem(patch(client, bundle_id), 403, "csrf-missing")
    problem(patch(client, bundle_id, **OWN), 403, "csrf-missing")
    problem(patch(client, bundle_id, token[:-1] + "é", **OWN), 403, "csrf-missing")
    other = Sessions(SECRET).token(Sessions(SECRET).issue("abc", time.time()))
    problem(patch(client, bundle_id, other, **OWN), 403, "csrf-missing")
    assert untouched(client, bundle_id)


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_changes_nothing(
    client: FlaskClient, token: str, sent: dict[str, str]
) -> None:
    bundle_id = a_bundle(client)
    problem(patch(client, bundle_id, token, **sent), 403, "cross-site")
    assert untouched(client, bundle_id)
    form = client.post("/dashboard/session", data={"key": "x"}, headers=sent)
    problem(form, 403, "cross-site")
    problem(client.delete("/dashboard/session", headers=sent), 403, "cross-site")


def test_own_pages_are_known_by_their_origin_without_tls(client: FlaskClient, token: str) -> None:
    assert patch(client, a_bundle(client), token, Origin="http://localhost").status_code == 200


def test_an_authorization_is_never_mixed_with_a_cookie(
    app: Flask, client: FlaskClient, token: str
) -> None:
    bearer = {"Authorization": f"Bearer {make(app, 'recommend')}"}
    problem(client.get("/v1/bundles", headers=bearer), 403, "scope-missing")
    problem(client.get("/v1/bundles", headers={"Authorization": "Bearer x"}), 401, "key-unknown")
    marketer = {"Authorization": f"Bearer {make(app, 'marketing')}"}
    assert patch(client, a_bundle(client), **marketer).status_code == 200  # no token needed


def test_a_revoked_key_ends_its_sessions_at_once(
    app: Flask, client: FlaskClient, key: str, token: str
) -> None:
    bundle_id = a_bundle(client)
    state(app).ledger.keys.revoke(key.split("_")[1], int(time.time()))
    time.sleep(RENEW_SECONDS + 0.1)
    problem(client.get("/v1/bundles"), 401, "key-unknown")
    problem(patch(client, bundle_id, token, **OWN), 401, "key-unknown")
    page = client.get("/dashboard")
    assert "Your session is over" in page.text
    assert "csrf-token" not in page.text


def test_signing_out_takes_the_cookie_back(client: FlaskClient, token: str) -> None:
    problem(client.delete("/dashboard/session"), 403, "csrf-missing")
    assert client.get("/v1/bundles").status_code == 200
    gone = client.delete("/dashboard/session", headers={"X-CSRF-Token": token})
    assert gone.get_json() == {"signed_in": False}
    problem(client.get("/v1/bundles"), 401, "key-missing")
    assert client.delete("/dashboard/session").status_code == 200


def test_signing_out_ends_the_session_wherever_its_cookie_was_copied_to(
    app: Flask, client: FlaskClient, config: Config, serve: Serve, key: str, token: str
) -> None:
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    thief, elsewhere = app.test_client(), serve(config)
    replica = elsewhere.test_client()
    for other in (thief, replica):
        other.set_cookie(COOKIE, cookie.value)
        assert other.get("/v1/bundles").status_code == 200
    assert sign_in(client, key).status_code == 200  # a second session of the same person
    thief.delete("/dashboard/session", headers={"X-CSRF-Token": token})
    thief.set_cookie(COOKIE, cookie.value)
    problem(thief.get("/v1/bundles"), 401, "session-ended")
    assert "Your session is over" in thief.get("/dashboard").text
    renew(elsewhere)
    problem(replica.get("/v1/bundles"), 401, "session-ended")
    assert client.get("/v1/bundles").status_code == 200
    # Also for a service that starts while the ledger is away.
    kept = KeptKeys(config.state / KEPT_FILE).read()
    assert kept is not None
    assert len(kept.ended_sessions) == 1
    # What is over by itself is not remembered.
    late = int(time.time()) + SESSION_HOURS * 3600 + 1
    state(app).ledger.keys.end_session("other", late + 1, late)
    assert state(app).ledger.keys.ended_sessions() == {"other": late + 1}


def test_who_cannot_be_signed_out_is_told(
    client: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise LedgerError("gone")

    monkeypatch.setattr(Keys, "end_session", away)
    answer = client.delete("/dashboard/session", headers={"X-CSRF-Token": token})
    assert "still signed in" in problem(answer, 503, "ledger-unavailable").detail
    assert client.get("/v1/bundles").status_code == 200


def test_a_cookie_that_was_made_up_opens_nothing(client: FlaskClient, key: str) -> None:
    forged = Sessions(SECRET).issue(key.split("_")[1], time.time())
    for cookie in (forged, "", "x", key, "é"):
        client.set_cookie(COOKIE, cookie)
        problem(client.get("/v1/bundles"), 401, "session-ended")
        assert "Sign in" in client.get("/dashboard").text


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient, key: str) -> None:
    cookie = sign_in(client, key).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Expires" not in cookie  # closing the browser signs out
    secure = sign_in(client, key, **{"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]
    assert "Secure" in secure.split("; ")


def test_only_keys_for_marketing_sign_in(app: Flask, client: FlaskClient, key: str) -> None:
    other, late = make(app, "recommend"), make(app, "marketing", expires_ts=1)
    for wrong, status, kind, told in (
        (key + "x", 401, "key-unknown", "not valid"),
        ("", 401, "key-unknown", "not valid"),
        (other, 403, "scope-missing", "marketing"),
        (late, 401, "key-expired", "expired"),
    ):
        if wrong:
            assert told in problem(sign_in(client, wrong), status, kind).detail
        page = client.post("/dashboard/session", data={"key": wrong}, headers=OWN)
        assert page.status_code == status
        assert told in page.text
        assert 'aria-invalid="true"' in page.text
        assert "Set-Cookie" not in page.headers
        assert wrong == "" or wrong not in page.text
    answer = client.post("/dashboard/session", data={"key": f" {key}\n"}, headers=OWN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard")
    assert client.get("/v1/bundles").status_code == 200


def test_guessing_is_as_slow_as_asking(app: Flask, client: FlaskClient, key: str) -> None:
    answers = [client.post("/dashboard/session", data={"key": "x"}) for _ in range(40)]
    assert {answer.status_code for answer in answers[:20]} == {401}
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 2
    assert "Too many tries" in answers[-1].text
    assert sign_in(client, key).status_code == 200  # others' guesses lock nobody out


def test_without_any_key_browsers_need_the_pages_token_and_programs_nothing(
    app: Flask, client: FlaskClient
) -> None:
    token = state(app).sessions.token("")
    assert token in client.get("/dashboard").text
    bundle_id = a_bundle(client)
    problem(patch(client, bundle_id, **OWN), 403, "csrf-missing")
    problem(patch(client, bundle_id, Origin="https://evil.example"), 403, "cross-site")
    problem(patch(client, bundle_id, token, **{"Sec-Fetch-Site": "cross-site"}), 403, "cross-site")
    assert untouched(client, bundle_id)
    assert patch(client, bundle_id, token, **OWN).status_code == 200
    assert "Set-Cookie" not in sign_in(client, "whatever").headers
    stale = patch(client, bundle_id)
    problem(stale, 412, "bundle-stale")


def test_a_session_ends() -> None:
    sessions, now = Sessions(SECRET), 1_700_000_000.0
    cookie = sessions.issue("abc", now)
    session = sessions.read(cookie, now + SESSION_HOURS * 3600 - 1)
    assert session is not None
    assert session.key_id == "abc"
    assert sessions.read(cookie, now + SESSION_HOURS * 3600) is None
    assert Sessions(SECRET).read(cookie, now) == session  # another replica's
    assert Sessions(SECRET[::-1]).read(cookie, now) is None
    assert sessions.issue("abc", now) != cookie


@given(st.text(max_size=60), st.data())
def test_no_text_but_ours_is_a_session(text: str, data: st.DataObject) -> None:
    sessions, now = Sessions(SECRET), 1_700_000_000.0
    assert sessions.read(text, now) is None
    cookie = sessions.issue("abc", now)
    at = data.draw(st.integers(0, len(cookie) - 2))  # the last letter holds unused bits
    other = data.draw(st.sampled_from("aZ0._-"))
    changed = cookie[:at] + other + cookie[at + 1 :]
    assert changed == cookie or sessions.read(changed, now) is None
    content: object = data.draw(st.sampled_from([[1], "a", {}, ["abc", "9", ""], ["abc", now, ""]]))
    assert sessions.read(str(sessions._serializer.dumps(content)), now) is None
