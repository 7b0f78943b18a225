"""What the back office tells is kept, merged, and read again a little at a time."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recsys.ledger.catalogue_updates import Overlay
from recsys.ledger.ledger import Ledger
from recsys.recommender.catalogue_updates import LiveItem, LiveLocation, LiveStock

NOW = 1_700_000_000


def test_what_is_not_told_stays_as_it_was(ledger: Ledger) -> None:
    office = ledger.backoffice
    first = LiveItem(item_id="a", title="Pasta", price_minor=150, currency="EUR")
    assert office.put_items([first], NOW).changed == 1
    office.put_items([LiveItem(item_id="a", active=False)], NOW + 5)
    ((item, at),) = office.since(0).items
    assert (item.title, item.price_minor, item.active, at) == ("Pasta", 150, False, NOW + 5)


def test_the_same_told_twice_is_no_news(ledger: Ledger) -> None:
    office = ledger.backoffice
    items = [LiveItem(item_id="a", title="Pasta"), LiveItem(item_id="b", active=True)]
    office.put_items(items, NOW)
    mark = office.mark()
    again = office.put_items(items, NOW + 60)
    assert (again.changed, again.unchanged) == (0, 2)
    assert office.mark() == mark
    assert [at for _, at in office.since(0).items] == [NOW, NOW]


def test_stock_counted_again_is_as_new_as_the_count(ledger: Ledger) -> None:
    office = ledger.backoffice
    row = LiveStock(location_id="S1", item_id="a", on_hand=3)
    office.put_stock([row], NOW)
    again = office.put_stock([row], NOW + 60)
    assert (again.changed, again.unchanged) == (0, 1)
    ((_, at),) = office.since(0).stock
    assert at == NOW + 60


def test_what_is_put_aside_is_kept_with_the_count(ledger: Ledger) -> None:
    office = ledger.backoffice
    row = LiveStock(location_id="S1", item_id="a", on_hand=3, reserved=2)
    assert office.put_stock([row], NOW).changed == 1
    assert office.put_stock([row], NOW).unchanged == 1
    assert [found for found, _ in office.since(0).stock] == [replace(row, told_ts=NOW)]
    bare = LiveStock(location_id="S1", item_id="a", on_hand=3)
    assert office.put_stock([bare], NOW + 9).changed == 1
    assert [found for found, _ in office.since(0).stock] == [replace(bare, told_ts=NOW + 9)]


def test_places_and_lead_times_are_merged_field_by_field(ledger: Ledger) -> None:
    office = ledger.backoffice
    office.put_locations([LiveLocation(location_id="S1", latitude=1.5, longitude=-2.5)], NOW)
    office.put_locations([LiveLocation(location_id="S1", ships=False, delivery_days=0)], NOW)
    office.put_locations([LiveLocation(location_id="S1", ships=True)], NOW)
    ((place, _),) = office.since(0).locations
    assert (place.latitude, place.longitude) == (1.5, -2.5)
    assert (place.ships, place.delivery_days) == (True, 0)


def test_a_worker_reads_only_what_changed(ledger: Ledger) -> None:
    office = ledger.backoffice
    overlay = Overlay(office)
    assert not overlay.renew()
    office.put_locations([LiveLocation(location_id="S9", kind="store")], NOW)
    office.put_items([LiveItem(item_id=f"i{n}", active=True) for n in range(1_200)], NOW)
    assert overlay.renew()
    assert not overlay.renew()
    mark = office.mark()
    office.put_items([LiveItem(item_id="i7", active=False)], NOW)
    since = office.since(mark)
    assert [item.item_id for item, _ in since.items] == ["i7"]
    assert not since.locations
    assert overlay.renew()
    told = overlay.updates_since({})
    assert len(told.items) == 1_200
    assert told.items["i7"].active is False


def test_a_newer_export_takes_the_place_of_what_was_told(ledger: Ledger) -> None:
    office = ledger.backoffice
    office.put_items([LiveItem(item_id="old", active=False)], NOW)
    office.put_items([LiveItem(item_id="new", active=False)], NOW + 10)
    office.put_stock([LiveStock(location_id="S1", item_id="old", on_hand=0)], NOW)
    overlay = Overlay(office)
    overlay.renew()
    told = overlay.updates_since({"products": NOW + 5})
    assert set(told.items) == {"new"}
    assert set(told.stock) == {("S1", "old")}
    assert not overlay.updates_since({"products": NOW + 10, "stock": NOW})


tellings = st.lists(
    st.builds(
        LiveItem,
        item_id=st.sampled_from("abc"),
        title=st.none() | st.sampled_from(["x", "y"]),
        active=st.none() | st.booleans(),
        price_minor=st.none() | st.integers(0, 3),
    ),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=tellings, cut=st.integers(0, 8))
def test_told_at_once_or_in_parts_is_the_same(
    told: Sequence[LiveItem], cut: int, tmp_path_factory: object
) -> None:
    folder = tmp_path_factory.mktemp("ledgers")  # type: ignore[attr-defined]
    found = []
    for name, parts in {"once": [told], "parts": [told[:cut], told[cut:]]}.items():
        ledger = Ledger.open(f"sqlite:///{folder / name}")
        for part in parts:
            ledger.backoffice.put_items(part, NOW)
        overlay = Overlay(ledger.backoffice)
        overlay.renew()
        found.append(dict(overlay.updates_since({}).items))
        ledger.close()
    assert found[0] == found[1]
