"""One customer: the traps of shops and tills, each as a few orders that a person can read."""

import ibis
import pytest
from ibis.backends.duckdb import Backend

from recsys.config.toml_file import IdentitySettings
from recsys.identity.resolution import (
    Resolution,
    customer_id_of,
    customers_of_groups,
    decide,
    resolve,
)
from recsys.query_engine import connect
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


@pytest.fixture(scope="module")
def con() -> Backend:
    return connect(memory_mb=256, threads=1)


@pytest.fixture
def find(con: Backend):
    def run(seen: Seen, settings: IdentitySettings = DEFAULTS, **more: object) -> Resolution:
        return resolve(seen.table(), settings, con, **more)

    return run


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


# ---- shared things


def test_a_default_card_glues_nobody(find) -> None:
    seen = Seen()
    for n in range(64):
        seen.order(f"card=DEFAULT token=T{n}").order(f"card=C{n} token=T{n}", times=2)
    for n in range(3):
        seen.registration(f"card=DEFAULT email=E{n}").registration(f"card=C{n} email=E{n}")
    found = find(seen)
    assert blocked(found) == {"card=DEFAULT": "degree: seen with 64 payment_token"}
    assert set(refused(found).values()) == {"degree: seen with 64 payment_token"}
    assert len(refused(found)) == 67
    assert len(customers(found)) == 64
    assert {"card=C2", "email=E2", "token=T2"} in customers(found)


@pytest.mark.parametrize("homes", [3, 5])
def test_a_default_card_of_a_handful_of_tickets_glues_nobody(find, homes: int) -> None:
    seen = Seen()
    for n in range(homes):
        seen.order(f"card=DEFAULT token=T{n}").order(f"card=C{n} token=T{n}", times=2)
    found = find(seen)
    assert blocked(found) == {
        "card=DEFAULT": f"degree: seen with guests of {homes} other loyalty_card"
    }
    assert len(customers(found)) == homes


def test_a_card_lent_to_friends_stays_its_owners(find) -> None:
    seen = Seen().order("card=MINE token=MY", times=20)
    for n in range(4):
        seen.order(f"card=MINE token=T{n}").order(f"card=C{n} token=T{n}", times=2)
    assert {"card=MINE", "token=MY"} in customers(find(seen))
    seen = Seen().registration("card=MINE email=ME")
    for n in range(3):
        seen.order(f"card=MINE token=T{n}").order(f"card=C{n} token=T{n}", times=2)
    assert any({"card=MINE", "email=ME"} <= customer for customer in customers(find(seen)))


def test_a_card_lent_to_a_stranger_for_once_joins_them_not(find) -> None:
    seen = Seen().order("card=C1 token=T1", times=5).order("card=C2 token=T2", times=5)
    seen.order("card=C1 token=T2")
    found = find(seen)
    assert customers(found) == [{"card=C1", "token=T1"}, {"card=C2", "token=T2"}]
    why = "chance: both are mostly seen elsewhere"
    assert refused(found) == {frozenset(("card=C1", "token=T2")): why}
    seen.order("card=C1 token=T2")
    assert len(customers(find(seen))) == 1  # twice in seven: hardly by chance


def test_a_registration_is_no_chance(find) -> None:
    seen = Seen().order("card=C1 token=T1", times=9).order("card=C2 token=T2", times=9)
    seen.registration("card=C1 token=T2")
    assert len(customers(find(seen))) == 1


def test_a_new_card_beside_the_old_one_is_the_same_customer(find) -> None:
    seen = Seen()
    for token in ("T1", "T2", "T3", "T4"):
        seen.order(f"card=OLD token={token}", times=9).order(f"card=NEW token={token}")
    assert len(customers(find(seen))) == 1


def test_a_household_with_a_few_tokens_stays_one(find) -> None:
    seen = Seen()
    for n in range(6):
        seen.order(f"card=HOME token=T{n}", times=n + 1)
    (home,) = customers(find(seen))
    assert len(home) == 7


def test_a_company_payment_card_joins_no_colleagues(find) -> None:
    seen = Seen()
    for n in range(200):
        seen.order(f"card=C{n} token=COMPANY").order(f"card=C{n} token=T{n}", times=2)
    found = find(seen)
    assert blocked(found) == {"token=COMPANY": "degree: seen with 200 loyalty_card"}
    assert len(customers(found)) == 200


def test_a_value_that_a_rule_blocks_joins_nobody_and_is_listed(find) -> None:
    seen = Seen().order("card=C1 token=T1").order("card=C2 token=T2")
    for n in (1, 2):
        seen.order(f"card=C{n}", group_id=f"x{n}")
        seen.order("email=test", group_id=f"x{n}", blocked="rule")
    found = find(seen)
    assert customers(found) == [{"card=C1", "token=T1"}, {"card=C2", "token=T2"}]
    assert blocked(found) == {"email=test": "rule"}
    assert refused(found) == {
        frozenset(("card=C1", "email=test")): "rule",
        frozenset(("card=C2", "email=test")): "rule",
    }


def test_a_blocked_value_does_not_count_for_the_degree_of_others(find) -> None:
    seen = Seen()
    for n in range(7):
        seen.order(f"card=C1 token=T{n}", blocked=None if n < 6 else "rule")
    for row in seen.rows:
        row["blocked"] = "rule" if row["value"] == "T6" else None
    assert blocked(find(seen)) == {"token=T6": "rule"}


def test_a_broken_export_that_names_everyone_in_one_order_joins_nobody(find) -> None:
    crowd = " ".join(f"email=E{n:02}" for n in range(300))
    seen = Seen().order(crowd).order("email=E01 token=T1")
    found = find(seen)
    assert found.links.num_rows == 300
    assert set(refused(found).values()) == {"group: 300 identifiers at once"}
    assert len(customers(found)) == 300
    assert not blocked(found)
    undone = decide(
        found.identifiers, found.links, IdentitySettings(undone=found.links["link_id"].to_pylist())
    )
    assert decide(undone.identifiers, undone.links, IdentitySettings()).links.equals(found.links)


# ---- devices


def test_a_shared_tablet_links_nobody(find) -> None:
    seen = Seen().session("device=TABLET account=A1", times=5).session("device=TABLET account=A2")
    found = find(seen)
    assert blocked(found) == {"device=TABLET": "degree: seen with 2 logins"}
    assert customers(found) == [{"account=A1"}, {"account=A2"}]


@pytest.mark.parametrize("evidence", ["registration", "same_order"])
def test_an_account_and_its_own_email_are_one_login(find, evidence: str) -> None:
    seen = Seen().session("device=PHONE account=A1").session("device=PHONE email=E1")
    seen.add(evidence, "account=A1 email=E1", 1)
    assert customers(find(seen)) == [{"account=A1", "email=E1", "device=PHONE"}]


def test_undoing_what_makes_two_logins_one_makes_the_device_shared(find) -> None:
    seen = Seen().session("device=PHONE account=A1").session("device=PHONE email=E1")
    seen.registration("account=A1 email=E1")
    undone = [link_id(find(seen), "account=A1", "email=E1")]
    found = find(seen, undone=undone)
    assert customers(found) == [{"account=A1"}, {"email=E1"}]
    assert blocked(found) == {"device=PHONE": "degree: seen with 2 logins"}


def test_cleared_cookies_do_not_make_an_account_shared(find) -> None:
    seen = Seen()
    for n in range(40):
        seen.session(f"device=D{n:02} account=A1")
    found = find(seen)
    assert not blocked(found)
    assert len(customers(found)[0]) == 11  # the account and ten devices, the limit
    assert set(refused(found).values()) == {"limit: 10 device"}


def test_devices_never_keep_stronger_identifiers_apart(find) -> None:
    seen = Seen()
    for n in range(8):
        seen.session(f"device=P{n} account=A1", times=3).session(f"device=Q{n} email=E1", times=3)
    seen.order("account=A1 email=E1")
    customer, *rest = customers(find(seen))
    assert {"account=A1", "email=E1"} <= customer
    assert all(len(other) == 1 for other in rest)


def test_linked_devices_do_not_join_two_logins(find) -> None:
    seen = Seen().session("device=D1 email=E1", times=2).session("device=D2 email=E2")
    seen.registration("device=D1 device=D2")
    found = find(seen)
    assert customers(found) == [{"device=D1", "email=E1"}, {"device=D2", "email=E2"}]
    assert set(refused(found).values()) == {"limit: 1 login on its devices"}
    seen = Seen().session("device=D1 email=E1").registration("device=D1 device=D2")
    assert len(customers(find(seen))) == 1


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
