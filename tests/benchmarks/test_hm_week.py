"""The benchmark says how to get data that is not there, and make bench leaves it out."""

import pytest

from benchmarks import hm_week
from benchmarks._report import NO_DATA


def test_without_its_data_it_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["hm_week", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        hm_week.main()
    assert ended.value.code == NO_DATA
    told = capsys.readouterr().err
    assert str(tmp_path) in told
    assert "h-and-m-personalized-fashion-recommendations" in told
