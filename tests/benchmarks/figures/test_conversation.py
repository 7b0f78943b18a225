"""The table of one conversation from small results."""

from benchmarks._figures import conversation as page

FIGURES = {
    "customers": (2400, 2400),
    "weeks": (8, 8),
    "lists": (46_321, 46_330),
    "repeats": (15.39, 17.32),
    "over_product_cap": (0, 6638),
    "just_bought": (0, 128),
    "bought_in_cart": (0, 3),
    "refused_shown": (0, 72),
    "against_consent": (0, 2),
    "over_message_cap": (0, 0),
    "in_quiet_hours": (0, 0),
    "bought_unknown": (22, 28),
    "mails": (1.323, 1.325),
    "expected_kept": (0.8417, 0.9275),
    "expected_once_kept": (1.031, 1.017),
}


def test_both_stand_beside_each_other(plant):
    rows = {
        (page.TASK, method, metric): (values[at],)
        for metric, values in FIGURES.items()
        for at, method in enumerate((page.ONE, page.FOUR))
    }
    found = plant(conversation=rows)
    body = page.conversation(found).splitlines()[2:]
    assert body[0].endswith("| 15.4 | 17.3 |")
    assert body[1] == "| showings over the cap of three a week | **0** | 6,638 |"
    assert "| mails over the cap of two a week | 0 | 0 |" in body
    assert body[8].endswith("not reported yet | 22 | 28 |")
    assert [line.split("|")[2].strip() for line in body[-3:]] == ["1.32", "84%", "103%"]
    counts = page.conversation_customers(found), page.conversation_weeks(found)
    assert (*counts, page.conversation_lists(found)) == ("2,400", "8", "46,321")
