"""Tables of docs/ranking.md from small results."""

from benchmarks._figures import ranking_page as page
from benchmarks._figures.readme import UCI


def body(text):
    return text.splitlines()[2:]


def test_rankers(plant):
    rows = {
        (UCI, "all candidates", "recall"): (0.7312, None, None, 1210),
        (UCI, "those that trees see", "recall"): (0.46,),
    }
    for way in page.WAYS:
        trees = 0.0 if way in ("blend alone", "linear") else 82.0
        for metric, value in (("ndcg@10", 0.374), ("new_ndcg@10", 0.227), ("trees", trees)):
            rows[UCI, way, metric] = (value,)
    found = plant(rankers=rows)
    first, *_, last = body(page.rankers(found))
    assert first == "| blend alone | .374 | .227 | |"
    assert last == "| **chances, then the order** | .374 | .227 | 82 |"
    assert page.ranked_customers(found) == "1,210"
    assert page.recall_of_candidates(found) == "73%"
    assert page.recall_of_trees(found) == "46%"


def test_carts(plant):
    rows = {
        (task, f"{whose}, cart = {factor}", metric): (value, 0.0, 0.1, 1500)
        for task in ("cart", "product")
        for whose in ("customer", "stranger")
        for metric in ("ndcg@10", "recall@10", "new_recall@10")
        for factor, value in (("0.5", 0.147), ("1", 0.1512), ("2", 0.1511))
    }
    found = plant(carts=rows)
    assert page.carts(found).splitlines()[0] == "| `weights = { cart = … }` | 0.5 | 1 | 2 |"
    assert body(page.carts(found))[0] == "| cart, customer: NDCG@10 | .147 | **.151** | .151 |"
    assert page.cart_orders(found) == "1,500"


def test_new_share(plant):
    rows = {
        (placement, f"new_share {share}", metric): (value, 0.016, 0.020, 925)
        for placement in ("web_product", "web_cart", "web_home")
        for share in ("0.25", "0.5")
        for metric, value in (
            ("shown_new_without", 0.02),
            ("shown_new", 0.25),
            ("choice_ndcg_without", 0.222),
            ("choice_ndcg", 0.204),
            ("cost", 0.018),
            ("found_new_without", 0.011),
            ("found_new", 0.043),
        )
    }
    found = plant(new_products=rows)
    assert body(page.new_share(found))[:2] == [
        "| `web_product` | **0.25** | 2% → 25% | .222 → .204 | 8% ± 1 | 1.1% → 4.3% |",
        "| | 0.5 | 2% → 25% | .222 → .204 | 8% ± 1 | 1.1% → 4.3% |",
    ]
    assert page.new_share_customers(found, "web_cart") == "925"
