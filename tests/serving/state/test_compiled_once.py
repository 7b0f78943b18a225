"""Nobody waits for a compiler: what the first questions compile is all that is ever called."""

import json
import subprocess
import sys
from pathlib import Path

from recsys.config.toml_file import Config

#: Asks everything that can be asked, and prints what was compiled beyond the first questions.
ASK = """
import itertools, json, sys
import msgspec
from recsys.config import load_config
from recsys.config.settings import LedgerSettings
from recsys.datasets.compilation import compiled_signatures
from recsys.ledger.customers import CapRules, Showing
from serving.app import create_app

config = load_config(sys.argv[1])
config = msgspec.structs.replace(config, ledger=LedgerSettings(url=sys.argv[2]))
app = create_app(config, background=False)
client = app.test_client()
before = compiled_signatures()
assert before, "nothing is warmed"
who = [{}, {"session_id": "v1"}] + [
    {"identifier": {"type": "email", "value": f"c{n}@shop.example.org"}} for n in range(4)
]
more = [
    {}, {"location_id": "S1"}, {"count": 1}, {"count": 40, "explain": True},
    {"cart": [{"item_id": "pasta", "quantity": 2}, {"item_id": "item03", "quantity": 1}]},
    {"cart": [{"item_id": "unknown", "quantity": 1}], "item_ids": ["tea"]},
    {"exclude": ["tea", "milk"], "filter": {"field": "price", "op": "lt", "value": 9}},
    {"filter": {"field": "attributes.bottle", "op": "exists"}},
    {"filter": {"field": "category", "op": "in", "value": ["Dairy", "Bakery"]}},
    {"as_of": "2026-02-01T00:00:00Z"}, {"as_of": "2020-01-01T00:00:00Z"},
]
placements = ["web_home", "web_product", "web_cart", "email_weekly", "store_screen"]
status = {}
def note(answer):
    status[answer.status_code] = status.get(answer.status_code, 0) + 1
def ask_all():
    for placement, customer, fields in itertools.product(placements, who, more):
        body = {"placement": placement, **customer, **fields}
        note(client.post("/v1/recommendations", json=body))
    customers = [{**one} for one in who if one]
    for placement in placements:
        body = {"placement": placement, "customers": customers}
        note(client.post("/v1/recommendations/batch", json=body))
    for item_id, what in itertools.product(("pasta", "item03"), ("similar", "bought-together")):
        note(client.get(f"/v1/items/{item_id}/{what}?count=30"))
        note(client.get(f"/v1/items/{item_id}/{what}?location_id=S1"))
ask_all()
state = app.extensions["omnibasket"]
shown = {"channel": "web", "at_ts": state.now_ts() - 90_000, "item_ids": ("pasta", "item03", "tea")}
ids = state.ledger.records.customer_ids()
state.ledger.contacts.show(
    [Showing(customer_id=one, **shown) for one in ids], CapRules({}, "UTC", keep_days=28)
)
for one in ids[:5]:
    note(client.post("/v1/recommendations", json={"placement": "web_home", "customer_id": one}))
events = [
    {"event_id": f"e{n}", "event": event, "occurred_at": "2026-03-01T12:00:00Z", **customer,
     "items": [{"item_id": "item03", "quantity": 1, "price": 1.5}], **more}
    for n, (customer, (event, more)) in enumerate(itertools.product(who[1:3], (
        ("view_item", {}), ("add_to_cart", {}), ("purchase", {"transaction_id": "T77"}),
        ("refund", {"transaction_id": "T77"}),
    )))
]
note(client.post("/v1/events", json={"events": events}))
ask_all()
after = compiled_signatures()
print(json.dumps([status, {name: [before.get(name, 0), n] for name, n in after.items()
                           if n != before.get(name, 0)}]))
"""


def test_no_question_is_the_first_of_its_kind(shop: Path, config: Config) -> None:
    asked = [sys.executable, "-c", ASK, str(shop), config.ledger_url]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    status, compiled = json.loads(done.stdout.splitlines()[-1])
    assert status.keys() == {"200"}
    assert status["200"] > 500
    assert compiled == {}
