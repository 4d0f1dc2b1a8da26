"""Gathering: files, frames and catalog symbols, cut to a range, several parts of one symbol joined."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import algo.data
from algo.data.catalog import Catalog
from algo.data.sources import is_file, load
from algo.data.synthetic import make
from algo.data.widths import finished, widen
from algo.errors import CatalogError, DataError, SettingError
from tests.data.layouts import contracts, moments
from tests.generators.bars import same_bars

MARKET = make(["VN30F1M", "FPT"], days=20)
FUTURE, SHARE = MARKET["VN30F1M"], MARKET["FPT"]


def test_two_files_of_one_symbol_are_joined(tmp_path: Path) -> None:
    for number, part in enumerate((FUTURE.take(slice(0, 3_000)), FUTURE.take(slice(2_900, None)))):
        contracts(part).to_csv(tmp_path / f"vn30f_{number}.csv")
    found = load([tmp_path / "vn30f_0.csv", tmp_path / "vn30f_1.csv"])
    assert list(found) == ["VN30F1M"]
    assert same_bars(found["VN30F1M"], FUTURE)


def test_a_catalog_symbol_and_a_frame(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(FUTURE)
    found = load(["vn30f1m", SHARE.to_frame()], catalog=catalog)
    assert same_bars(found["VN30F1M"], FUTURE)
    assert same_bars(found["FPT"], SHARE)
    assert same_bars(
        load("VN30F1M", catalog=tmp_path, width="15m")["VN30F1M"], widen(FUTURE, "15m", finished(FUTURE))
    )
    assert same_bars(load(SHARE, width="15m")["FPT"], widen(SHARE, "15m", finished(SHARE)))
    assert same_bars(
        load(moments(SHARE), symbol="FPT", width="1d")["FPT"], widen(SHARE, "1d", finished(SHARE))
    )
    mapped = load({"VCB": SHARE.to_frame(), "vn30f1m": "VN30F1M"}, catalog=catalog)
    assert same_bars(mapped["VCB"], replace(SHARE, symbol="VCB"))
    assert same_bars(mapped["VN30F1M"], FUTURE)


def test_a_keyword_that_there_is_not(tmp_path: Path) -> None:
    Catalog(tmp_path).save(FUTURE)
    for source in ("VN30F1M", FUTURE.to_frame()):
        with pytest.raises(SettingError, match="there is no setting 'widht'; did you mean 'width'"):
            load(source, catalog=tmp_path, widht="5m")


def test_a_range_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "FPT.csv"
    moments(SHARE).to_csv(path)
    found = load(str(path), from_="2025-07-08", to="2025-07-10")["FPT"]
    assert same_bars(found, SHARE.between("2025-07-08", "2025-07-10"))
    with pytest.raises(
        DataError, match=r"no bars in the range from 2030-01-01 to the end; its bars run from 2025-07-01"
    ):
        load(path, from_="2030-01-01")
    with pytest.raises(DataError, match="a start before its end"):
        load(path, from_="2025-07-10", to="2025-07-08")


def test_what_is_neither_a_file_nor_a_symbol(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="algo data demo"):
        load("FPT", catalog=tmp_path / "none")
    Catalog(tmp_path).save(SHARE)
    with pytest.raises(CatalogError, match="did you mean FPT"):
        load("FPTX", catalog=tmp_path)
    with pytest.raises(DataError, match="no such file"):
        load("fpt.csv", catalog=tmp_path)
    with pytest.raises(DataError, match="no data given"):
        load([])


def test_files_and_symbols_are_told_apart(tmp_path: Path) -> None:
    assert is_file("FPT.csv")
    assert is_file("data/FPT")
    assert is_file(tmp_path)
    assert is_file(str(tmp_path))
    assert not is_file("FPT")


def test_public_names_are_there_and_cost_nothing() -> None:
    for name in algo.data.__all__:
        assert getattr(algo.data, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        algo.data.nothing
    code = (
        "import sys, algo.data; sys.exit(any(name in sys.modules for name in ('pandas', 'pyarrow', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
