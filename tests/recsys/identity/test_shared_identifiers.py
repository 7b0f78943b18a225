"""Cards, tokens and devices that several customers use: none of them joins two customers."""

import pytest

from recsys.config.toml_file import IdentitySettings
from recsys.identity.resolution import decide
from tests.recsys.identity.observing import (
    Seen,
    blocked,
    customers,
    link_id,
    refused,
)

DEFAULTS = IdentitySettings()

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
