"""One customer: the traps of shops and tills, each as a few orders that a person can read."""

import ibis
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings
from recsys.identity.resolution import (
    customer_id_of,
    customers_of_groups,
    decide,
    resolve,
)
from recsys.schema import IDENTIFIERS, LINKS
from tests.recsys.identity.observing import (
    Seen,
    blocked,
    customers,
    link_id,
    links_between,
    refused,
)

DEFAULTS = IdentitySettings()


def test_a_web_order_and_a_till_receipt_are_one_customer(find) -> None:
    seen = Seen()
    seen.order("card=C1 token=T1", times=3).order("email=E1 token=T1")
    seen.registration("email=E2 card=C2").order("card=C2 token=T2")
    seen.session("device=D1 account=A3").order("account=A3 email=E3")
    found = find(seen)
    assert customers(found) == [
        {"account=A3", "email=E3", "device=D1"},
        {"card=C1", "token=T1", "email=E1"},
        {"email=E2", "card=C2", "token=T2"},
    ]
    assert not blocked(found)
    assert not refused(found)


def test_tables_have_the_schemas_of_the_history(find) -> None:
    found = find(Seen().order("card=C1 token=T1", times=2).order("card=C1"))
    assert found.identifiers.schema == IDENTIFIERS
    assert found.links.schema == LINKS
    card, token = found.identifiers.to_pylist()
    assert (card["type"], card["orders"], token["orders"]) == ("loyalty_card", 3, 2)
    assert card["own_id"] == card["customer_id"] == customer_id_of("loyalty_card", "C1")
    assert token["own_id"] == customer_id_of("payment_token", "T1") != token["customer_id"]
    (link,) = found.links.to_pylist()
    assert (link["type_a"], link["value_a"], link["type_b"]) == (
        "loyalty_card",
        "C1",
        "payment_token",
    )
    assert (link["evidence"], link["source"], link["seen"]) == ("same_order", "export", 2)
    assert link["accepted"] is True
    assert (link["last_at"] - link["first_at"]).total_seconds() == 3600
    assert link["link_id"].startswith("l")
    assert len(link["link_id"]) == 17


def test_nothing_seen_gives_empty_tables(find) -> None:
    found = find(Seen())
    assert (found.identifiers.num_rows, found.links.num_rows) == (0, 0)
    assert (found.identifiers.schema, found.links.schema) == (IDENTIFIERS, LINKS)


def test_the_strongest_identifier_gives_the_customer_its_id(find) -> None:
    seen = Seen().order("member=M1 device=D1 token=T1").order("token=T1 card=C2 card=C1")
    (customer,) = {row["customer_id"] for row in find(seen).identifiers.to_pylist()}
    assert customer == customer_id_of("loyalty_card", "C1")
    seen.order("card=C1 email=E1")
    (customer,) = {row["customer_id"] for row in find(seen).identifiers.to_pylist()}
    assert customer == customer_id_of("email", "E1")


def test_the_same_pair_keeps_each_kind_of_evidence(find) -> None:
    seen = Seen().order("email=E1 card=C1", source="shop").order("email=E1 card=C1", source="app")
    seen.registration("card=C1 email=E1", source="crm")
    found = find(seen)
    links = {row["evidence"]: row for row in links_between(found, "email=E1", "card=C1")}
    assert set(links) == {"same_order", "registration"}
    assert (links["same_order"]["source"], links["same_order"]["seen"]) == ("app,shop", 2)
    assert links["registration"]["source"] == "crm"
    without_one = find(seen, undone=[link_id(found, "email=E1", "card=C1", "same_order")])
    assert len(customers(without_one)) == 1
    both = [str(row["link_id"]) for row in links.values()]
    assert len(customers(find(seen, undone=both))) == 2


# ---- limits


def test_the_ninth_token_is_refused_and_the_customer_stays(find) -> None:
    seen = Seen()
    for n in range(9):
        seen.order(f"email=E1 token=T{n}", times=10 - n)
    found = find(seen)
    assert [len(customer) for customer in customers(found)] == [9, 1]
    assert refused(found) == {frozenset(("email=E1", "token=T8")): "limit: 8 payment_token"}
    assert not blocked(found)


def test_two_accounts_never_are_one_customer(find) -> None:
    seen = Seen().order("account=A1 token=JOINT", times=3).order("account=A2 token=JOINT", times=2)
    found = find(seen)
    assert customers(found) == [{"account=A1", "token=JOINT"}, {"account=A2"}]
    assert refused(found) == {frozenset(("account=A2", "token=JOINT")): "limit: 1 account"}


def test_a_registration_is_stronger_than_many_orders(find) -> None:
    seen = Seen().order("account=A1 card=C1", times=50)
    seen.registration("account=A2 card=C1")
    assert customers(find(seen)) == [{"account=A2", "card=C1"}, {"account=A1"}]


def test_of_equal_evidence_the_older_holds(find) -> None:
    seen = Seen().order("account=A2 token=T1").order("account=A1 token=T1")
    assert customers(find(seen)) == [{"account=A2", "token=T1"}, {"account=A1"}]


def test_a_type_that_is_not_known_joins_without_a_limit(find) -> None:
    seen = Seen()
    for n in range(12):
        seen.order(f"email=E1 member=M{n}")
    assert len(customers(find(seen))[0]) == 13
    seen.order("email=E1 member=M12")
    assert blocked(find(seen)) == {"email=E1": "degree: seen with 13 member"}


def test_settings_change_limits_and_degrees(find) -> None:
    seen = Seen().order("card=C1 token=T1", times=2).order("card=C1 token=T2")
    limited = find(seen, IdentitySettings(limits={"payment_token": 1}))
    assert customers(limited) == [{"card=C1", "token=T1"}, {"token=T2"}]
    strict = find(seen, IdentitySettings(max_degree={"loyalty_card": 1}))
    assert blocked(strict) == {"card=C1": "degree: seen with 2 payment_token"}


# ---- undoing


def test_a_link_undone_splits_the_customer_and_redone_joins_it_again(find) -> None:
    seen = Seen().order("card=C1 token=T1").order("email=E1 token=T1")
    before = find(seen)
    undone = link_id(before, "email=E1", "token=T1")
    after = find(seen, IdentitySettings(undone=[undone]))
    assert customers(after) == [{"card=C1", "token=T1"}, {"email=E1"}]
    assert refused(after) == {frozenset(("email=E1", "token=T1")): "undone"}
    again = decide(after.identifiers, after.links, IdentitySettings())
    assert again.identifiers.equals(before.identifiers)
    assert again.links.equals(before.links)


def test_undoing_a_wrong_link_gives_a_blocked_card_back(find) -> None:
    seen = Seen()
    for n in range(7):
        seen.order(f"card=HOME token=T{n}", times=2)
    few = {"loyalty_card": 6}
    before = find(seen, IdentitySettings(max_degree=few))
    assert blocked(before) == {"card=HOME": "degree: seen with 7 payment_token"}
    undone = [link_id(before, "card=HOME", "token=T6")]
    after = find(seen, IdentitySettings(max_degree=few, undone=undone))
    assert [len(customer) for customer in customers(after)] == [7, 1]


# ---- whose is an order


def whose(con: Backend, seen: Seen, settings: IdentitySettings = DEFAULTS) -> dict[str, str]:
    found = resolve(seen.table(), settings, con)
    groups = customers_of_groups(ibis.memtable(seen.table()), ibis.memtable(found.identifiers))
    rows = con.to_pyarrow(groups).to_pylist()
    assert len({row["group_id"] for row in rows}) == len(rows)
    return {row["group_id"]: row["customer_id"] for row in rows}


def test_an_order_is_its_strongest_identifiers_customers(con: Backend) -> None:
    seen = Seen().order("account=A1 token=JOINT", times=3).order("token=JOINT account=A2")
    seen.order("token=JOINT")
    first, second = customer_id_of("account", "A1"), customer_id_of("account", "A2")
    assert whose(con, seen) == {"g1": first, "g2": first, "g3": first, "g4": second, "g5": first}


def test_an_order_with_a_blocked_card_is_the_payers(con: Backend) -> None:
    seen = Seen()
    for n in range(64):
        seen.order(f"card=DEFAULT token=T{n}")
    seen.order("card=DEFAULT")
    found = whose(con, seen)
    assert found["g1"] == customer_id_of("payment_token", "T0")
    assert "g65" not in found


def test_a_shared_tablets_session_is_the_logins(con: Backend) -> None:
    seen = Seen().session("device=TABLET account=A1").session("device=TABLET account=A2")
    seen.session("device=TABLET")
    assert whose(con, seen) == {
        "g1": customer_id_of("account", "A1"),
        "g2": customer_id_of("account", "A2"),
    }


def test_observations_may_lie_in_the_engine(con: Backend) -> None:
    seen = Seen().order("card=C1 token=T1").table()
    found = resolve(con.create_table("seen", ibis.memtable(seen)), IdentitySettings(), con)
    con.raw_sql("DROP TABLE seen")
    assert found.identifiers.equals(resolve(seen, IdentitySettings(), con).identifiers)
    left = con.raw_sql("SELECT count(*) FROM duckdb_tables()").fetchone()
    assert left == (0,)
