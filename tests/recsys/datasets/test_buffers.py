"""Room for loops: zeros whatever happened in it before."""

import threading

import numpy as np
import pytest

from recsys.datasets.buffers import zeroed


def test_it_is_used_again_and_is_zeros() -> None:
    with zeroed((100, np.int64)) as (first,):
        first[3] = 7
        first[3] = 0
    with zeroed((50, np.int64)) as (again,):
        assert again is first
        assert not again.any()


def test_what_an_error_left_behind_is_in_nobodys_numbers() -> None:
    def fail() -> None:
        with zeroed((100, np.float32)) as (left,):
            left[5] = 1.0
            raise MemoryError

    with pytest.raises(MemoryError):
        fail()
    with zeroed((100, np.float32)) as (other,):
        assert not other.any()


def test_a_loop_that_does_not_clear_its_array_is_found() -> None:
    with pytest.raises(AssertionError, match="array 1 came back with 2 entries"):  # noqa: SIM117
        with zeroed((100, np.int64), (100, np.float64)) as (_, left):
            left[5:7] = 1.0
    with zeroed((100, np.float64)) as (other,):
        assert not other.any()


def test_nobody_else_has_it_meanwhile() -> None:
    with zeroed((10, np.uint8), (10, np.uint8)) as (one, two), zeroed((10, np.uint8)) as (three,):
        assert len({id(one), id(two), id(three)}) == 3
        found: list[int] = []

        def ask() -> None:
            with zeroed((10, np.uint8)) as (theirs,):
                found.append(id(theirs))

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert found[0] not in {id(one), id(two), id(three)}


def test_it_grows() -> None:
    with zeroed((10, np.int16)) as (small,):
        pass
    with zeroed((10_000, np.int16)) as (large,):
        assert len(large) >= 10_000
        assert large is not small
