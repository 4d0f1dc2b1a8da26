"""The catalog: what goes in comes out, also after a crash, and what is missing is said helpfully."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algo.clock import MINUTE
from algo.data.catalog import Catalog
from algo.data.series import Series, join
from algo.data.synthetic import fill, make
from algo.data.widths import finished, widen
from algo.errors import CatalogError
from tests.generators.bars import minute_series, same_bars

MARKET = make(days=25)
SHARE, FUTURE = MARKET["FPT"], MARKET["VN30F1M"]


@settings(max_examples=30)  # each one waits for the disk
@given(minute_series(), st.booleans(), st.text(max_size=20))
def test_what_goes_in_comes_out(series: Series, adjusted: bool, note: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(folder)
        series = replace(series, adjusted=adjusted, notes=(note,))
        entry = catalog.save(series, source="a file")
        again = catalog.load(series.symbol)
        assert same_bars(again, series)
        assert again.notes == series.notes
        assert (entry.bars, entry.first, entry.last) == (len(series), series.start[0], series.time[-1])
        assert entry.sources == ("a file",)
        assert catalog.entries() == [entry]


def test_contracts_are_kept(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    entry = catalog.save(FUTURE)
    assert same_bars(catalog.load("vn30f1m"), FUTURE)
    assert entry.contracts == tuple(dict.fromkeys(FUTURE.contract.tolist()))  # type: ignore[union-attr]


@settings(max_examples=20)
@given(st.integers(0, len(SHARE)), st.integers(0, len(SHARE)))
def test_parts_grow_together(a: int, b: int) -> None:
    first, second = SHARE.take(slice(0, max(a, b, 1))), SHARE.take(slice(min(a, b, len(SHARE) - 1), None))
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(folder)
        catalog.save(first, source="one")
        entry = catalog.save(second, source="two")
        assert same_bars(catalog.load("FPT"), join([first, second]))
        assert entry.sources == ("one", "two")


def test_replacing_forgets_the_old_bars(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(SHARE)
    entry = catalog.save(SHARE.take(slice(5, 10)), replace_all=True)
    assert entry.bars == len(catalog.load("FPT")) == 5


@pytest.mark.parametrize("change", [{"adjusted": True}, {"board": "HNX"}])
def test_bars_of_another_kind_do_not_mix(tmp_path: Path, change: dict[str, object]) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(SHARE)
    with pytest.raises(CatalogError, match="another catalog"):
        catalog.save(replace(SHARE, **change))  # type: ignore[arg-type]
    assert same_bars(catalog.load("FPT"), SHARE)


def test_made_up_bars_never_touch_real_ones(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(SHARE)
    with pytest.raises(CatalogError, match="synthetic bars do not go with the real ones"):
        fill(catalog, ["HPG", "FPT"], days=2)
    assert catalog.symbols() == ["FPT"]
    assert same_bars(catalog.load("FPT"), SHARE)


def test_a_demo_can_be_made_anew(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    fill(catalog, ["HPG"], days=5, seed=1)
    (entry,) = fill(catalog, ["HPG"], days=3, seed=2)
    assert entry.synthetic
    assert "seed 2" in entry.sources[0]
    assert same_bars(catalog.load("HPG"), make(["HPG"], days=3, seed=2)["HPG"])


def test_ranges_are_cut_as_series_cut_them(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(FUTURE)
    for width in ("1m", "15m", "1d"):
        whole = widen(FUTURE, width, finished(FUTURE))
        found = catalog.load("VN30F1M", width, "2025-07-08", "2025-07-22")
        assert same_bars(found, whole.between("2025-07-08", "2025-07-22"))
        assert 0 < len(found) < len(whole)


def test_widths_are_stored_or_built(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    quarter = widen(SHARE, "15m")
    catalog.save(SHARE)
    catalog.save(quarter)
    assert [entry.width for entry in catalog.show("FPT")] == [MINUTE, 15 * MINUTE]
    assert same_bars(catalog.load("FPT", "15m"), quarter)
    assert same_bars(catalog.load("FPT", "1h"), widen(quarter, "1h", finished(quarter)))
    assert same_bars(catalog.load("FPT", "5m"), widen(SHARE, "5m", finished(SHARE)))
    assert catalog.load("FPT").width == MINUTE
    assert catalog.remove("FPT", "1m") == 1
    with pytest.raises(CatalogError, match="no 5m bars can be built"):
        catalog.load("FPT", "5m")
    assert catalog.remove("FPT") == 1
    assert catalog.symbols() == []
    assert list(tmp_path.iterdir()) == []


def test_what_the_catalog_does_not_have(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "none yet")
    assert catalog.entries() == []
    with pytest.raises(CatalogError, match="no data yet"):
        catalog.load("FPT")
    catalog.save(SHARE)
    catalog.save(MARKET["HPG"])
    with pytest.raises(CatalogError, match="did you mean HPG"):
        catalog.load("HPX")
    with pytest.raises(CatalogError, match="it has FPT, HPG"):
        catalog.show("MSN")
    with pytest.raises(CatalogError, match="no 15m bars"):
        catalog.remove("FPT", "15m")
    assert "fpt" in catalog
    assert "MSN" not in catalog
    with pytest.raises(CatalogError, match="no bars to keep"):
        catalog.save(SHARE.take(slice(0)))
    with pytest.raises(CatalogError, match="cannot name"):
        catalog.save(replace(SHARE, symbol="../FPT"))


def test_where_the_catalog_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGO_CATALOG", str(tmp_path / "mine"))
    assert Catalog().root == tmp_path / "mine"
    assert Catalog(tmp_path / "given").root == tmp_path / "given"
    monkeypatch.delenv("ALGO_CATALOG")
    assert Catalog().root == Path("catalog")


def test_a_crash_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog(tmp_path)
    catalog.save(SHARE)

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        catalog.save(SHARE.take(slice(0, 3)), replace_all=True)
    monkeypatch.undo()
    assert same_bars(catalog.load("FPT"), SHARE)
    assert [path.name for path in (tmp_path / "FPT").iterdir()] == ["1m.parquet"]


@pytest.mark.parametrize("damage", ["garbage", "half", "foreign"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    catalog = Catalog(tmp_path)
    path = catalog.save(SHARE).path
    if damage == "garbage":
        path.write_bytes(b"what is this")
    elif damage == "half":
        path.write_bytes(path.read_bytes()[:2_000])
    else:
        pq.write_table(pq.read_table(path).replace_schema_metadata({}), path)
    for act in (lambda: catalog.load("FPT"), catalog.entries, lambda: catalog.save(SHARE)):
        with pytest.raises(CatalogError, match=r"1m\.parquet is damaged") as caught:
            act()
        assert "\n" not in str(caught.value)


def test_other_tools_can_read_the_files(tmp_path: Path) -> None:
    table = pq.read_table(Catalog(tmp_path).save(FUTURE).path)
    assert table.column("close").to_pylist() == FUTURE.close.tolist()
    assert set(table.column_names) == {"time", "start", "open", "high", "low", "close", "volume", "contract"}
    assert np.diff(table.column("time").to_numpy()).min() > 0
