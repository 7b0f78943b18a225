"""Visitors are told apart by what only their own proxies say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config.settings import PRIVATE
from recsys.identity.hashing import KeyedHash
from serving.access.client_addresses import ClientAddresses

ADDRESSES = ClientAddresses(KeyedHash("k" * 40), PRIVATE)
VISITOR = "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "visitor"),
    [
        (VISITOR, [], VISITOR),
        (VISITOR, ["198.51.100.1"], VISITOR),  # whoever is no proxy may say anything
        ("127.0.0.1", [VISITOR], VISITOR),
        ("::1", [VISITOR], VISITOR),
        ("::ffff:10.0.0.7", [VISITOR], VISITOR),
        ("10.0.0.7", ["198.51.100.1", VISITOR], VISITOR),  # the first may be made up
        ("10.0.0.7", ["198.51.100.1", VISITOR, "192.168.1.2"], VISITOR),  # two proxies
        ("10.0.0.7", ["10.9.9.9"], "10.9.9.9"),  # a visitor inside
        ("10.0.0.7", [""], "10.0.0.7"),
        ("10.0.0.7", [VISITOR, "unknown"], "10.0.0.7"),
        ("127.0.0.1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        ("", [VISITOR], ""),
    ],
)
def test_the_last_that_is_no_proxy(peer: str, forwarded_for: list[str], visitor: str) -> None:
    assert ADDRESSES.visitor(peer, forwarded_for) == visitor


@given(st.lists(st.ip_addresses().map(str) | st.text(max_size=12)))
def test_nobody_is_taken_for_another_by_what_they_send(made_up: list[str]) -> None:
    assert ADDRESSES.visitor(VISITOR, made_up) == VISITOR
    assert ADDRESSES.visitor("10.0.0.7", [*made_up, VISITOR]) == VISITOR
    none = ClientAddresses(KeyedHash("k" * 40), [])
    assert none.visitor("10.0.0.7", [*made_up, VISITOR]) == "10.0.0.7"
