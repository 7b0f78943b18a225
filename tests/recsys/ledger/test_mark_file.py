"""The file of marks is whole after a power failure, and damage is said."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from recsys.errors import LedgerError
from recsys.ledger.mark_file import Mark, MarkFile, latest

MARKS = st.lists(st.builds(Mark, st.sampled_from("abc"), st.integers(0, 3), st.booleans()))


@given(marks=MARKS, cut=st.integers(0, 10))
def test_the_order_of_marks_does_not_matter(marks: list[Mark], cut: int) -> None:
    assert latest(marks) == latest(marks[cut:] + marks[:cut])
    assert latest([*latest(marks[cut:]).values(), *latest(marks[:cut]).values()]) == latest(marks)


def test_it_is_only_appended_to(tmp_path: Path) -> None:
    file = MarkFile(tmp_path / "state" / "erasures.jsonl")
    assert file.read() == {}
    file.append([])
    assert not file.path.exists()
    file.append([Mark("c1", 5), Mark("c2", 5)])
    begin = file.path.read_bytes()
    file.append([Mark("c1", 6, erased=False)])
    assert file.path.read_bytes().startswith(begin)
    assert file.path.stat().st_mode & 0o077 == 0
    assert file.read() == {"c1": Mark("c1", 6, erased=False), "c2": Mark("c2", 5)}


def test_a_torn_line_is_left_out_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    file = MarkFile(tmp_path / "erasures.jsonl")
    file.append([Mark("c1", 5)])
    with file.path.open("ab") as torn:
        torn.write(b'{"own_id":"c2","mark')
    assert file.read() == {"c1": Mark("c1", 5)}
    file.append([Mark("c3", 6)])
    assert set(file.read()) == {"c1", "c3"}
    file.path.write_bytes(file.path.read_bytes().replace(b"c1", b'"'))
    with pytest.raises(LedgerError, match="line 1: damaged"):
        file.read()
