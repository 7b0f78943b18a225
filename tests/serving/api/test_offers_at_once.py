"""Everybody asks at the same moment, over the network and of several workers."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

from recsys.config.toml_file import load_config
from tests.serving.conftest import Serve
from tests.serving.marketing import approve, customer, issue, money, one
from tests.serving.test_service import Service, running

TILLS = 99


def all_at_once(service: Service, asked: list[tuple[str, Any]]) -> list[tuple[int, Any]]:
    """Post every body at the same moment; answers in the same order."""
    answers: list[tuple[int, Any]] = [(0, None)] * len(asked)
    ready = threading.Barrier(len(asked))

    def ask(at: int) -> None:
        path, body = asked[at]
        ready.wait()
        answers[at] = service.ask("POST", path, body)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_hundred_tills_and_the_shop_ask_at_the_same_moment(workspace: Path, serve: Serve) -> None:
    app = serve(load_config(workspace))
    client = app.test_client()
    wanted = approve(client)
    scarce = approve(client, ("pasta", "sauce"), budget=money(5 * 50 + 49))
    offer = issue(client, customer(app), wanted).get_json()
    with running(workspace) as service:
        redeemed_once(service, offer["code"], customer(app))
        # Every fifth customer has an e-mail; each asks twice.
        promised_within_budget(service, scarce, [customer(app, at) for at in range(0, 40, 5)] * 2)
    assert one(client, wanted)["offers"]["redeemed"] == 1
    assert one(client, scarce)["offers"]["reserved"] == money(250)


def redeemed_once(service: Service, code: str, customer_id: str) -> None:
    path = f"/v1/offers/{code}/redemptions"
    orders: list[dict[str, str]] = [
        {"transaction_id": str(till + 1), "channel": "pos", "location_id": f"S{till % 2 + 1}"}
        for till in range(TILLS)
    ]
    orders.append({"transaction_id": "web", "channel": "web", "customer_id": customer_id})
    answers = all_at_once(service, [(path, order) for order in orders])
    assert Counter(status for status, _ in answers) == {201: 1, 409: TILLS}
    kinds = {answer["type"] for status, answer in answers if status == 409}
    assert kinds == {"/problems#offer-redeemed"}
    # The order that got it may lose the answer, and asks until it has one.
    ((order, first),) = (
        (order, answer)
        for order, (status, answer) in zip(orders, answers, strict=True)
        if status == 201
    )
    again = all_at_once(service, [(path, order)] * 20)
    assert all(answer == (200, first) for answer in again)


def promised_within_budget(service: Service, bundle_id: str, customer_ids: list[str]) -> None:
    body = {"bundle_id": bundle_id}
    asked = [(f"/v1/customers/{name}/offers", body) for name in customer_ids]
    answers = all_at_once(service, asked)
    made = [answer for status, answer in answers if status in (200, 201)]
    assert len({answer["code"] for answer in made}) == 5
    lucky = {
        name
        for name, (status, _) in zip(customer_ids, answers, strict=True)
        if status in (200, 201)
    }
    assert len(lucky) == 5
    assert len(made) == 10  # both times the same offer
    assert Counter(status for status, _ in answers if status in (200, 201)) == {201: 5, 200: 5}
    kinds = {answer["type"] for status, answer in answers if status not in (200, 201)}
    assert kinds == {"/problems#budget-spent"}
