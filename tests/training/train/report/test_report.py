"""The report of a training: one file with correct figures, for people and machines."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from recsys.ranking.segment_blends import KINDS
from training.train.report import names
from training.train.report.bars import bars
from training.train.report.page import render
from training.train.report.words import summary

PEERS = ("popular", "own_frequency", "item_knn", "als")
SOLD = (np.arange(12) * 7 * 86_400, {"pos": np.linspace(40, 60, 12), "web": np.full(12, 8.0)})


def figures(segment, ours, best, n=100):
    rows = []
    for method in ("omnibasket", *PEERS):
        value = ours if method == "omnibasket" else best if method == "als" else best / 2
        for metric in names.METRICS:
            low, high = (None, None) if metric == "coverage" else (value - 0.01, value + 0.01)
            rows.append(
                {
                    "segment": segment,
                    "method": method,
                    "metric": f"{metric}@10",
                    "value": value,
                    "low": low,
                    "high": high,
                    "n": n,
                }
            )
    return rows


def lead(segment, value, half=0.01, metric="ndcg", other="als"):
    return {
        "segment": segment,
        "metric": f"{metric}@10",
        "other": other,
        "value": value,
        "low": value - half,
        "high": value + half,
    }


def told(chance):
    return {
        "told": chance,
        "happened": chance,
        "low": chance / 2,
        "high": chance * 1.5,
        "weight": 9.0,
    }


def discovered(placement, asked, share):
    return {
        "placement": placement,
        "asked": asked,
        "new_share": share,
        "k": 8,
        "n": 90,
        "shown_new": 0.26,
        "shown_new_without": 0.02,
        "ndcg": 0.36,
        "ndcg_without": 0.4,
        "cost": 0.04,
        "cost_low": 0.03,
        "cost_high": 0.05,
        "found_new": 0.04,
        "found_new_without": 0.01,
    }


@pytest.fixture
def result():
    window = {"start": "1970-02-01T00:00:00+00:00", "end": "1970-03-01T00:00:00+00:00"}
    tried = [[{"half_life_days": 28.0}, 0.2], [{"half_life_days": 7.0}, 0.1]]
    return {
        "run": "20260101T000000Z",
        "outcome": "measured",
        "history": "h1",
        "note": "",
        "not_profiled": 0,
        "windows": {"validation": [window], "test": [window]},
        "figures": [*figures("all", 0.4, 0.3), *figures("web", 0.2, 0.3, n=20)],
        "differences": [
            lead("all", 0.1),
            lead("all", 0.0, metric="new_ndcg"),
            lead("web", -0.1),
            lead("all", 0.05, metric="hr"),
        ],
        "over_single": [
            lead("all", 0.004, other="best_single"),
            lead("all", -0.05, metric="new_ndcg", other="best_single"),
        ],
        "samples": [{"segment": "web", "drawn": 20, "of": 2310}],
        "single": {"model": "repeat", "reached": {"repeat": 0.3, "popular": 0.1}},
        "reliability": {
            "bins": [told(0.1), told(0.3)],
            "error": 0.012,
            "told": 0.2,
            "happened": 0.2,
        },
        "origins": [
            {
                "source": source,
                "recall": 0.4,
                "new_recall": None,
                "alone": 0.1,
                "new_alone": 0.0,
                "candidates": 9.0,
            }
            for source in ("repeat", "all together", "seen by trees")
        ],
        "importance": [
            {
                "name": "own_recency",
                "group": "own purchases",
                "share": 0.75,
                "likely": 0.3,
                "order": 0.1,
            },
            {
                "name": "item_season",
                "group": "how it sells",
                "share": 0.25,
                "likely": 0.1,
                "order": 0.1,
            },
        ],
        "weights": {
            f"{blend}_{kind}": {"repeat": 1.0, "popular": 0.5}
            for blend in ("plain", "cart")
            for kind in KINDS
        },
        "peers": {
            name: {"settings": tried[0][0], "tried": tried, "trainings_ago": 2 * (name == "als")}
            for name in PEERS
        },
        "discovery": [
            discovered("web_product", "product", 0.25),
            discovered("web_home", "customer", 0.0),
        ],
        "left_out": [],
        "seconds": {"fit": 3.0, "measure": 2.0, "total": 5.0},
        "peak_mb": 800,
    }


class Page(HTMLParser):
    """Text, ids and addresses of a page; fails where tags are not closed in order."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.addresses, self.text = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [v for k, v in attrs if k in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_it_is_one_page_that_loads_nothing(result):
    html = render(result, SOLD, "Corner shop")
    page = Page(html)
    assert all(address.startswith("#") for address in page.addresses)
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert "@import" not in html
    assert "<script" not in html
    assert not re.findall(r"url\((?!#)", html)
    assert html.count("<svg") == html.count("</svg>") >= 10


def test_colours_come_from_the_page_so_that_dark_is_dark(result):
    drawn = "".join(re.findall(r"<svg.*?</svg>", render(result, SOLD, "x"), re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{6}", drawn) == []
    assert {"var(--ours)", "var(--ink)", "var(--muted)"} <= set(re.findall(r"var\([^)]*\)", drawn))
    assert "prefers-color-scheme: dark" in render(result, SOLD, "x")


def test_the_same_result_gives_the_same_page(result):
    assert render(result, SOLD, "x") == render(json.loads(json.dumps(result)), SOLD, "x")


def test_names_are_escaped(result):
    evil = '<script>alert("x")</script>'
    result["note"] = result["history"] = evil
    sold = (SOLD[0], {evil: SOLD[1]["pos"], "cost$ $x$": SOLD[1]["web"]})
    page = Page(html := render(result, sold, evil))
    assert "<script" not in html
    assert "".join(page.text).count("<script>") >= 4  # title, heading, note, history
    assert "cost$ $x$" in "".join(page.text)


def test_what_matters_is_said_first_and_in_words(result):
    told = {one.text.split(":")[0]: one for one in summary(result)}
    overall = summary(result)[0]
    assert overall.verdict == "ahead"
    assert "ahead of ALS of implicit (+0.1000 NDCG@10, +33.3%" in overall.text
    new = told["For products that are new to the customer"]
    assert new.verdict == "level"
    assert "level with ALS of implicit (+0.0000 NDCG@10" in new.text
    web = told["Bought on the web (20 customers, a sample of 2,310)"]
    assert web.verdict == "behind"
    words = " ".join(one.text for one in summary(result))
    assert "Of 100 customers who came back, 40 bought at least one of the 10" in words
    assert "off by 1.2 percentage points" in words
    assert "Not measured" not in words


def test_what_all_models_add_to_the_best_of_them_is_said(result):
    (told,) = [one for one in summary(result) if "alone" in one.text]
    assert told.verdict == "level"
    assert told.text.startswith("Beside our own best model alone, repeat: level with it (+0.0040")
    assert "for products that are new to the customer, behind it (-0.0500" in told.text
    words = " ".join("".join(Page(render(result, SOLD, "x")).text).split())
    assert "Our lead over the best single model" in words
    assert "+0.0040 level" in words
    assert "Bought on the web, 20 customers, a sample of 2,310" in words
    assert "Bought everywhere, 100 customers " in words


def test_what_was_left_out_is_said(result):
    result["figures"] = [row for row in result["figures"] if row["method"] == "omnibasket"]
    result |= {"differences": [], "over_single": [], "peers": {}, "left_out": list(PEERS)}
    words = " ".join(one.text for one in summary(result))
    assert "Not measured beside, by [train] peers: Most popular, Own frequency" in words
    assert "Nothing was measured beside." in render(result, SOLD, "x")


def test_a_history_without_enough_to_draw_is_a_page_all_the_same(result):
    result["reliability"] = {"bins": [], "error": None, "told": None, "happened": None}
    result["origins"] = result["importance"] = []
    Page(render(result, (np.empty(0, np.int64), {}), "x"))


def test_candidates_and_what_trees_look_at_are_drawn(result):
    words = "".join(Page(render(result, SOLD, "x")).text)
    assert "on average: 9 all together, 9 seen by trees" in words
    for drawn in ("What it adds", "own recency", "75.0%", "how it sells", "25.0%"):
        assert drawn in words


def test_what_a_share_of_new_products_costs_is_said(result):
    (told,) = [one for one in summary(result) if one.text.startswith("web_product")]
    assert "26% of what a known customer is shown is new to them, 2% without" in told.text
    assert "costs 0.0400 ±0.0100, 10.0% NDCG@8 by choice on the validation window" in told.text
    words = " ".join("".join(Page(render(result, SOLD, "x")).text).split())
    assert "What is new to customers" in words
    assert "web_homecustomernone26.0%2.0%" in words
    result["discovery"] = []
    assert "What is new to customers" not in render(result, SOLD, "x")


def test_a_bar_tells_its_label_and_its_figure():
    svg = bars("b", "Two & three", ["a<b", "c"], [1.0, 0.0], written=["1", "none"])
    assert "<title>Two &amp; three</title>" in svg
    assert ">a&lt;b</text>" in svg
    assert ">none</text>" in svg


@pytest.mark.parametrize(
    ("metric", "value", "written"),
    [
        ("hr@10", 0.754, "75.4%"),
        ("coverage@10", 0.0004, "0.04%"),
        ("novelty@10", 3.14, "3.1"),
        ("ndcg@10", 0.41239, "0.4124"),
        ("ndcg@10", None, ""),
    ],
)
def test_figures_are_written_as_people_read_them(metric, value, written):
    assert names.figure(metric, value) == written


def test_a_training_leaves_its_report(trained_demo: Path) -> None:
    (report,) = trained_demo.glob(".omnibasket/runs/*/report.html")
    page = Page(report.read_text(encoding="utf-8"))
    words = "".join(page.text)
    for heading in ("All figures", "What is inside", "The time line", "How the others were tuned"):
        assert heading in words
    for method in ("Omnibasket", "Most popular", "Own frequency", "Item neighbours", "ALS"):
        assert method in words


def test_when_the_baselines_were_tuned_is_said(result):
    page = render(result, SOLD, "x")
    assert page.count("Tuned in this training.") == len(PEERS) - 1
    assert page.count("Tuned 2 trainings ago; the settings were kept.") == 1
