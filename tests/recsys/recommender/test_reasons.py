import pytest

from recsys.languages import TAGS, language_of
from recsys.recommender import reasons
from recsys.recommender.purchase_habits import Habit


@pytest.mark.parametrize(
    ("interval", "elapsed", "text", "told"),
    [
        (1.1, 1.0, "every day", {"every_days": 1}),
        (3.2, 1.0, "every 3 days", {"every_days": 3}),
        (3.2, 5.0, "every 3 days - it has been 5", {"every_days": 3, "since_days": 5}),
        (7.0, 1.0, "every week", {"every_weeks": 1}),
        (21.0, 9.0, "every 3 weeks", {"every_weeks": 3}),
        (21.0, 28.0, "every 3 weeks - it has been 4", {"every_weeks": 3, "since_weeks": 4}),
        (21.0, 23.0, "every 3 weeks", {"every_weeks": 3}),
        (60.0, 9.0, "every 2 months", {"every_months": 2}),
        (60.0, 95.0, "every 2 months - it has been 3", {"every_months": 2, "since_months": 3}),
    ],
)
def test_a_habit_is_told_as_people_tell_it(interval, elapsed, text, told):
    habit = Habit(5, elapsed, interval, regular=True)
    assert reasons.repeat(habit, overdue=True) == {
        "code": "repeat",
        "text": f"You usually buy this {text}",
        "purchases": 5,
        "elapsed_days": round(elapsed),
        "interval_days": interval,
        **told,
    }
    (plain, *_) = text.partition(" - ")
    early = reasons.repeat(habit)
    assert early["text"] == f"You usually buy this {plain}"
    assert not [name for name in early if name.startswith("since")]


@pytest.mark.parametrize(
    ("habit", "text"),
    [
        (Habit(1, 9.0), "You bought this before"),
        (Habit(2, 9.0, 30.0), "You bought this before"),
        (Habit(3, 9.0, 30.0), "You buy this often"),
        (Habit(5, 60.0, 7.0, regular=True), "You bought this before"),  # a habit of the past
        (Habit(9, 400.0, 30.0), "You bought this before"),
    ],
)
def test_without_a_habit_no_interval_is_told(habit, text):
    assert reasons.repeat(habit, overdue=True) == {
        "code": "repeat",
        "text": text,
        "purchases": habit.purchases,
        "elapsed_days": round(habit.elapsed_days),
    }


def test_a_place_is_named_where_its_name_is_known():
    assert reasons.popular_at_location("S1", None, store=True) == {
        "code": "popular_at_location",
        "text": "Popular in your store",
        "location_id": "S1",
    }
    assert reasons.popular_at_location("w", "The web shop", store=False) == {
        "code": "popular_at_location",
        "text": "Popular online",
        "location_id": "w",
        "location": "The web shop",
    }
    assert reasons.trending_at_location("S1", "Harbour")["location"] == "Harbour"


def test_a_like_product_is_told_by_its_kind_or_by_its_title():
    assert reasons.similar_item("Rye", "r1", brand="Mill") == {
        "code": "similar_item",
        "text": "Because you buy Mill",
        "item_id": "r1",
        "title": "Rye",
        "because_of": ["r1"],
        "brand": "Mill",
    }
    assert reasons.similar_item(None, "r1")["text"] == "Similar to r1"


@pytest.mark.parametrize(
    ("tag", "elapsed", "text"),
    [
        ("de", 28.0, "Kaufen Sie meist alle 3 Wochen – zuletzt vor 4 Wochen"),
        ("fr", 28.0, "Vous l’achetez d’habitude toutes les 3 semaines – la dernière fois il y a 4"),
        ("ar", 28.0, "تشتري هذا عادةً كل 3 أسابيع – آخر مرة قبل 4 أسابيع"),
        ("ar", 77.0, "تشتري هذا عادةً كل 3 أسابيع – آخر مرة قبل 11 أسبوعًا"),
        ("fa", 28.0, "معمولاً هر ۳ هفته این را می‌خرید – آخرین بار ۴ هفته پیش"),
        ("ka", 28.0, "ჩვეულებრივ ყიდულობთ 3 კვირაში ერთხელ – ბოლოს 4 კვირის წინ"),
    ],
)
def test_a_habit_has_the_plural_forms_of_each_language(tag, elapsed, text):
    habit = Habit(5, elapsed, 21.0, regular=True)
    english = reasons.repeat(habit, overdue=True)
    told = reasons.repeat(habit, language_of(tag), overdue=True)
    assert told["text"].startswith(text)
    assert {**told, "text": english["text"]} == english


def test_two_weeks_have_a_form_of_their_own_in_arabic():
    habit = Habit(5, 9.0, 14.0, regular=True)
    assert reasons.repeat(habit, language_of("ar"))["text"] == "تشتري هذا عادةً كل أسبوعين"


@pytest.mark.parametrize("tag", TAGS)
def test_a_reason_names_the_same_in_every_language(tag):
    english = reasons.bought_together("Tea 5%", "tea")
    told = reasons.bought_together("Tea 5%", "tea", language_of(tag))
    assert "Tea 5%" in told["text"]
    assert {**told, "text": english["text"]} == english
