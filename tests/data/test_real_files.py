"""The real files, by their plain names, faults included; skipped where they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from algo.clock import DAY, MINUTE, at, local_date
from algo.data.continuous import contracts_at, rolls
from algo.data.reading import examine, read
from algo.data.series import Series
from algo.data.widths import widen
from algo.market import Contract, last_trading_day
from algo.model import Board


def one(path: Path) -> Series:
    series = read(path)
    assert isinstance(series, Series)
    return series


@pytest.mark.parametrize("year", [2023, 2024])
def test_five_minute_futures(shared_data: Path, year: int) -> None:
    series = one(shared_data / f"vn30f_5m_{year}.csv")
    frame = pd.read_csv(shared_data / f"vn30f_5m_{year}.csv")
    assert (series.symbol, series.width, series.board) == ("VN30F1M", 5 * MINUTE, Board.DERIVATIVES)
    assert series.close.tolist() == frame["Close"].tolist()
    assert series.high.tolist() == frame["High"].tolist()
    assert series.contract is not None
    assert (
        series.contract.tolist()
        == frame["tickersymbol"].tolist()
        == contracts_at("VN30F1M", series.time).tolist()
    )
    assert series.to_frame().index[0].isoformat() == f"{frame['Date'][0]}T09:05:00+07:00"
    for index in rolls(series):
        old = Contract.parse(series.contract[index - 1])
        assert local_date(int(series.time[index - 1])) == last_trading_day(old)


def test_fifteen_minute_futures(shared_data: Path) -> None:
    series = one(shared_data / "vn30f1m_15m_2018_2024.csv")
    assert (series.symbol, series.width, len(series)) == ("VN30F1M", 15 * MINUTE, 28_102)
    daily = widen(series, "1d")
    assert len(daily) == 1_482
    # A day closes with the price of its closing auction, which the file stamps 14:45.
    at_close = np.flatnonzero((series.start - at(local_date(0))) % DAY == 14 * 60 * MINUTE + 45 * MINUTE)
    closing = dict(
        zip((local_date(int(ns)) for ns in series.start[at_close]), series.close[at_close], strict=True)
    )
    found = dict(zip((local_date(int(ns)) for ns in daily.time), daily.close, strict=True))
    assert {day: found[day] for day in closing} == closing


def test_every_daily_share(shared_data: Path) -> None:
    readings = examine(shared_data / "vn_daily")
    assert len(readings) == 30
    for reading in readings:
        assert reading.error is None
        assert reading.series is not None
        assert reading.series.adjusted
        assert reading.series.width == DAY
        assert reading.symbol == Path(reading.source).stem
        frame = pd.read_csv(reading.source)
        assert len(frame) - len(reading.series) <= 1
        assert np.median(reading.series.close / 1000) == pytest.approx(frame["Close"].median(), rel=1e-3)


def test_their_faults_are_said(shared_data: Path) -> None:
    (fpt,) = examine(shared_data / "vn_daily" / "FPT.csv")
    kinds = {finding.kind: finding.count for finding in fpt.findings}
    assert kinds["repeated row"] == 1
    assert kinds["open or close outside its bar"] == 8
    (ssi,) = examine(shared_data / "vn_daily" / "SSI.csv")
    spike = next(finding for finding in ssi.findings if finding.kind == "spike")
    assert "2006-12-15" in spike.first
    assert ssi.series is not None
    assert any("spike" in note for note in ssi.series.notes)
    (mended,) = examine(shared_data / "vn_daily" / "SSI.csv", repair=True)
    assert mended.series is not None
    assert mended.series.low[0] == 12_904
