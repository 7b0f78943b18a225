"""Bundles of ``tune`` and ``test`` are in nothing that is learned from."""

import csv

import pytest

from benchmarks.tasks import youshu

FILES = {
    "Youshu_data_size": "3\t4\t2",
    "user_bundle_train": "0\t0\n1\t1\n2\t0",
    "user_bundle_tune": "0\t2",
    "user_bundle_test": "1\t3\n2\t3",
    "user_item": "0\t1\n2\t0",
    "bundle_item": "0\t0\n0\t1\n3\t1",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / f"{name}.txt").write_text(text + "\n")
    return tmp_path


def test_the_split_is_the_papers(folder):
    cut = youshu.cut(folder, 0)
    assert sorted(set(cut.test.purchases.item.tolist())) == [0, 1]
    assert cut.test.asked.tolist() == [1, 2]
    assert cut.test.wanted.item_ix.tolist() == [3, 3]
    assert cut.validation.asked.tolist() == [0]
    assert cut.test.purchases.n_items == 4


def test_ours_ingests_what_users_took_and_what_bundles_hold(folder):
    youshu.export(folder, folder / "work")
    taken = list(csv.DictReader((folder / "work" / "taken.csv").read_text().splitlines()))
    assert {(row["user"], row["product"]) for row in taken} == {
        ("0", "bundle-0"),
        ("1", "bundle-1"),
        ("2", "bundle-0"),
        ("0", "item-1"),
        ("2", "item-0"),
    }
    contents = list(csv.DictReader((folder / "work" / "contents.csv").read_text().splitlines()))
    assert {(row["order"], row["product"]) for row in contents} == {
        ("0", "bundle-0"),
        ("0", "item-0"),
        ("0", "item-1"),
        ("3", "bundle-3"),
        ("3", "item-1"),
    }
