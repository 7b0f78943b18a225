"""Every request runs where it belongs, before anything of it is read."""

import pytest

from serving.http.request_limits import MAX_BODY_BYTES, limits_of


@pytest.mark.parametrize(
    ("method", "path", "queue"),
    [
        ("GET", "/readyz", "health"),
        ("POST", "/v1/recommendations", "answers"),
        ("GET", "/v1/items/milk", "answers"),
        ("POST", "/v1/recommendations/batch", "batch"),
        ("POST", "/v1/recommendations/batch/", "batch"),
        ("POST", "/v1/events", "durable"),
        ("POST", "/v1/redemptions", "durable"),
        ("POST", "/v1/offers/7Q4M-0X2K-D9AB-WT5C/redemptions", "durable"),
        ("GET", "/v1/offers", "desk"),
        ("GET", "/qr/token/offer.svg", "desk"),
        ("POST", "/dashboard/session", "desk"),
    ],
)
def test_a_request_runs_in_its_lane(method: str, path: str, queue: str) -> None:
    assert limits_of(method, path).queue == queue


def test_a_question_may_not_be_as_large_as_a_batch() -> None:
    question = limits_of("POST", "/v1/recommendations")
    assert question.body_bytes < limits_of("POST", "/v1/recommendations/batch").body_bytes
    assert limits_of("GET", "/v1/bundles").body_bytes < question.body_bytes <= MAX_BODY_BYTES
