"""Distances against another formula, and what becomes of what is not known."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.recommender.location_details import EARTH_KM, LocationDetails

LONDON, PARIS, SYDNEY = (51.5074, -0.1278), (48.8566, 2.3522), (-33.8688, 151.2093)


def placed(*positions: tuple[float, float]) -> LocationDetails:
    latitude, longitude = zip(*positions, strict=True)
    n = len(positions)
    return LocationDetails.of({"latitude": latitude, "longitude": longitude}, n)


def by_vectors(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The angle between two directions from the centre of the Earth, km."""

    def direction(position: tuple[float, float]) -> tuple[float, float, float]:
        phi, theta = map(math.radians, position)
        return (
            math.cos(phi) * math.cos(theta),
            math.cos(phi) * math.sin(theta),
            math.sin(phi),
        )

    (a, b, c), (x, y, z) = direction(one), direction(other)
    cross = math.hypot(b * z - c * y, c * x - a * z, a * y - b * x)
    return EARTH_KM * math.atan2(cross, a * x + b * y + c * z)


def test_distances_that_can_be_looked_up() -> None:
    km = placed(LONDON, PARIS, SYDNEY).distances_km(0)
    assert km[0] == 0
    assert km[1] == pytest.approx(343.6, abs=0.5)
    assert km[2] == pytest.approx(16_994, abs=20)


def test_a_quarter_and_half_of_the_way_round() -> None:
    km = placed((0.0, 0.0), (90.0, 12.0), (0.0, 180.0), (0.0, -90.0)).distances_km(0)
    assert km == pytest.approx(np.array([0, 0.5, 1, 0.5]) * math.pi * EARTH_KM)


positions = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(positions, min_size=1, max_size=6))
def test_a_distance_is_the_angle_between_two_directions(
    given_at: list[tuple[float, float]],
) -> None:
    details = placed(*given_at)
    for at, here in enumerate(given_at):
        expected = [by_vectors(here, there) for there in given_at]
        # Near the antipode the haversine formula is good to some metres.
        assert details.distances_km(at) == pytest.approx(expected, abs=0.2)


def test_no_distance_to_or_from_a_place_that_is_not_known() -> None:
    details = LocationDetails.of({"latitude": [1.0, None], "longitude": [2.0, None]}, 2)
    assert np.isnan(details.distances_km(0)).tolist() == [False, True]
    assert np.isnan(details.distances_km(1)).all()


@pytest.mark.parametrize(
    ("ships", "days", "expected"),
    [
        (None, None, False),
        (None, 3, True),
        (None, 0, True),
        (False, 3, False),
        (True, None, True),
        (True, 2, True),
    ],
)
def test_who_delivers(ships: bool | None, days: int | None, expected: bool) -> None:
    details = LocationDetails.of({"ships": [ships], "delivery_days": [days]}, 1)
    assert details.shipping.tolist() == [expected]


def test_updates_change_what_they_name() -> None:
    details = LocationDetails.of({"delivery_days": [3, 5], "ships": [None, True]}, 2)
    wider = details.moved(np.array([2, 0]), 3)
    assert wider.delivery_days.tolist() == [5, -1, 3]
    newer = wider.updated({1: {"delivery_days": 2, "ships": None}, 2: {"ships": False}})
    assert newer.delivery_days.tolist() == [5, 2, 3]
    assert newer.shipping.tolist() == [True, True, False]
    assert wider.delivery_days.tolist() == [5, -1, 3]


def test_an_older_artefact_knows_of_no_place() -> None:
    older = LocationDetails.from_arrays({"store": np.array([True, False])}, 2)
    assert not older.shipping.any()
    assert np.isnan(older.latitude).all()
    known = placed(LONDON, PARIS)
    again = LocationDetails.from_arrays(known.arrays(), 2)
    assert all((asdict(again)[name] == array).all() for name, array in asdict(known).items())
