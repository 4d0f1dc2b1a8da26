"""Reading: the known layouts and many others come back as the bars they were written from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algo.clock import DAY, HOUR, MINUTE, time_of_day
from algo.data.hours import midnights, open_and_close
from algo.data.reading import examine, read
from algo.data.series import Series
from algo.data.symbols import symbol_in
from algo.data.synthetic import make
from algo.data.widths import finished, widen
from algo.errors import DataError, SettingError
from algo.model import Board
from tests.data.layouts import contracts, daily, moments
from tests.generators.bars import minute_series, same_bars

MARKET = make(days=25)
FUTURE, SHARE = MARKET["VN30F1M"], MARKET["FPT"]


def days_of(series: Series) -> Series:
    """Daily bars with the start and end that a daily file's bars have."""
    wide = widen(series, "1d", finished(series))
    day = midnights(wide.time)
    opening, closing = open_and_close(wide.board)
    return replace(wide, start=day + opening, time=day + closing)


def one(source: object, **overrides: object) -> Series:
    series = read(source, **overrides)  # type: ignore[arg-type]
    assert isinstance(series, Series)
    return series


def test_the_layout_with_contracts(tmp_path: Path) -> None:
    path = tmp_path / "vn30f_1m_2025.csv"
    contracts(FUTURE).to_csv(path)
    series = one(path)
    assert same_bars(series, FUTURE)
    assert len(set(series.contract.tolist())) > 1  # type: ignore[union-attr]


def test_the_layout_with_moments(tmp_path: Path) -> None:
    path = tmp_path / "vn30f1m_15m_2018_2024.csv"
    wide = widen(FUTURE, "15m")
    # Such a file stamps a bar's start; its bars are 15 minutes each, also before lunch.
    written = replace(wide, contract=None, start=wide.start, time=wide.start + 15 * MINUTE)
    moments(written).to_csv(path)
    series = one(path)
    assert same_bars(series, written)
    assert series.board is Board.DERIVATIVES
    assert any("starts" in note for note in series.notes)


def test_the_daily_layout_in_thousands(tmp_path: Path) -> None:
    path = tmp_path / "FPT.csv"
    written = days_of(SHARE)
    daily(written).to_csv(path)
    series = one(path)
    assert same_bars(series, written)
    assert any("thousands" in note for note in series.notes)
    assert not series.adjusted
    assert time_of_day(int(series.time[0])) == 14 * HOUR + 45 * MINUTE
    assert time_of_day(int(one(path, board="hnx").time[0])) == 15 * HOUR
    assert one(path, unit="dong").close.tolist() == pytest.approx((written.close / 1000).tolist())


def test_adjusted_prices_are_noticed_and_can_be_denied(tmp_path: Path) -> None:
    path = tmp_path / "FPT.csv"
    written = days_of(SHARE)
    factor = {
        name: np.floor(getattr(written, name) * 0.5377 + 0.5) for name in ("open", "high", "low", "close")
    }
    daily(replace(written, **factor)).to_csv(path)
    series = one(path)
    assert series.adjusted
    assert series.close.tolist() == factor["close"].tolist()
    assert any("adjusted" in note for note in series.notes)
    assert not one(path, adjusted=False).adjusted


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("name", ["FPT", "VN30F1M"])
def test_stamps_tell_whether_they_are_starts_or_ends(tmp_path: Path, name: str, end: bool) -> None:
    path = tmp_path / f"{name}.csv"
    source = replace(MARKET[name], contract=None)
    moments(source, end).to_csv(path)
    assert same_bars(one(path), source)
    shift = MINUTE if end else -MINUTE
    other = one(path, stamp="start" if end else "end")
    assert (other.time - source.time == shift).all()


def test_stamps_that_do_not_tell_are_starts() -> None:
    late = SHARE.take(np.isin(SHARE.start - midnights(SHARE.start), [10 * HOUR, 10 * HOUR + MINUTE]))
    series = one(moments(late), symbol="FPT", width="1m")
    assert same_bars(series, late)
    assert any("assumed" in note for note in series.notes)


@given(minute_series(strays=False), st.sampled_from(("start", "end")))
def test_a_frame_comes_back_with_everything_said(series: Series, stamp: str) -> None:
    frame = moments(series, stamp == "end")
    again = one(
        frame,
        symbol=series.symbol,
        width=series.width,
        board=series.board,
        stamp=stamp,
        unit=None,
        adjusted=False,
    )
    assert same_bars(again, series)


def test_a_series_own_frame_comes_back() -> None:
    for series in MARKET.values():
        assert same_bars(one(series.to_frame()), series)


def test_parquet_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    moments(SHARE).reset_index().to_parquet(path)
    assert same_bars(one(path, symbol="fpt"), SHARE)


def test_several_symbols_in_one_file(tmp_path: Path) -> None:
    frames = [moments(series).reset_index().assign(Ticker=name) for name, series in MARKET.items()]
    path = tmp_path / "all.csv"
    pd.concat(frames).sort_values("Date", kind="stable").to_csv(path, index=False)
    found = read(path)
    assert isinstance(found, dict)
    assert set(found) == set(MARKET)
    assert all(same_bars(found[name], replace(MARKET[name], contract=None)) for name in MARKET)
    assert same_bars(one(path, symbol="HPG"), MARKET["HPG"])
    with pytest.raises(DataError, match="did you mean HPG"):
        read(path, symbol="HPX")


def test_contracts_side_by_side(tmp_path: Path) -> None:
    """Two contracts at one time are two series; asked for the alias, each counts while it is in front."""
    assert FUTURE.contract is not None
    near, far = sorted(set(FUTURE.contract.tolist()), key=FUTURE.contract.tolist().index)
    frames = [contracts(replace(FUTURE, contract=np.full(len(FUTURE), code))) for code in (near, far)]
    path = tmp_path / "contracts.csv"
    pd.concat(frames).to_csv(path)
    found = read(path)
    assert isinstance(found, dict)
    assert set(found) == {near, far}
    assert same_bars(one(path, symbol="VN30F1M"), FUTURE)
    assert same_bars(one(path, symbol=near), replace(FUTURE, symbol=near, contract=None))


def test_a_folder_and_a_mapping(tmp_path: Path) -> None:
    for name in ("FPT", "HPG"):
        moments(MARKET[name]).to_csv(tmp_path / f"{name}.csv")
    (tmp_path / "notes.md").write_text("no data")
    found = read(tmp_path)
    assert isinstance(found, dict)
    assert same_bars(found["FPT"], SHARE)
    mapped = read({"vcb": tmp_path / "HPG.csv", "FPT": SHARE})
    assert isinstance(mapped, dict)
    assert same_bars(mapped["VCB"], replace(MARKET["HPG"], symbol="VCB"))
    assert same_bars(mapped["FPT"], SHARE)


@pytest.mark.parametrize(
    "header",
    [
        "Date,Open,High,Low,Close,Volume",
        "date,OPEN,HIGH,LOW,CLOSE,VOL",
        "<DTYYYYMMDD>,<Open>,<High>,<Low>,<Close>,<Volume>",
        "Ngày,Mở cửa,Cao nhất,Thấp nhất,Đóng cửa,Khối lượng",
        "TradingDate,OpenPrice,HighestPrice,LowestPrice,ClosePrice,TotalMatchVol",
        "timestamp,o,h,l,c,v",
        "Ngày,Giá mở cửa,Giá cao nhất,Giá thấp nhất,Giá đóng cửa,KLGD khớp lệnh,KL",
    ],
)
def test_columns_by_their_usual_names(tmp_path: Path, header: str) -> None:
    path = tmp_path / "FPT.csv"
    extra = ",1" if header.count(",") > 5 else ""
    rows = [f"2024-03-0{day},10.1,10.4,10,10.2{extra},500" for day in (4, 5, 6)]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    series = one(path)
    assert series.close.tolist() == [10_200.0] * 3
    assert series.high.tolist() == [10_400.0] * 3
    assert series.volume.tolist() == [500] * 3
    assert series.width == DAY


@pytest.mark.parametrize(
    "rows",
    [
        "Date;Open;High;Low;Close;Volume\n04/03/2024;10,1;10,4;10,0;10,2;1.500\n13/03/2024;10,1;10,4;10,0;10,2;1.500",
        'Date\tOpen\tHigh\tLow\tClose\tVolume\n2024-03-04\t10.1\t10.4\t10\t10.2\t"1,500"\n'
        '2024-03-13\t10.1\t10.4\t10\t10.2\t"1,500"',
        "Date,Open,High,Low,Close,Vol.\n20240304,10.1,10.4,10,10.2,1.5K\n20240313,10.1,10.4,10,10.2,1.5K",
        'Date,Price,Open,High,Low,Vol.,Change %\n"03/13/2024","10.2","10.1","10.4","10","1.50K","1.1%"\n'
        '"03/04/2024","10.2","10.1","10.4","10","1.50K","1.1%"',
        "time,open,high,low,close,Volume\n1709510400,10.1,10.4,10,10.2,1500\n1710288000,10.1,10.4,10,10.2,1500",
        "time,open,high,low,close,volume\n2024-03-04T00:00:00+07:00,10.1,10.4,10,10.2,1500\n"
        "2024-03-13T00:00:00+07:00,10.1,10.4,10,10.2,1500",
    ],
    ids=["semicolons", "tabs", "numbers", "newest first", "epoch", "zoned"],
)
def test_numbers_and_dates_as_people_write_them(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "FPT.csv"
    path.write_text(rows, encoding="utf-8-sig")
    series = one(path, width="1d")
    assert [int(ns) for ns in midnights(series.time)] == [1709485200 * 10**9, 1710262800 * 10**9]
    assert series.open.tolist() == [10_100.0] * 2
    assert series.close.tolist() == [10_200.0] * 2
    assert series.volume.tolist() == [1_500] * 2


def test_prices_in_thousands_round_half_up() -> None:
    frame = pd.DataFrame(
        {"open": [1.0005], "high": [2.0015], "low": [0.0004], "close": [1.0004], "volume": [1]},
        index=pd.DatetimeIndex(["2024-03-04"]),
    )
    series = one(frame, symbol="FPT", unit="thousand")
    assert [series.open[0], series.high[0], series.low[0], series.close[0]] == [1001.0, 2002.0, 1.0, 1000.0]


def test_a_penny_share_is_not_taken_for_thousands() -> None:
    frame = pd.DataFrame(
        {
            "open": [500.0, 510],
            "high": [520.0, 530],
            "low": [490.0, 500],
            "close": [510.0, 520],
            "volume": [1, 1],
        },
        index=pd.DatetimeIndex(["2024-03-04", "2024-03-05"]),
    )
    assert one(frame, symbol="ATG").close.tolist() == [510.0, 520.0]


def test_columns_named_by_the_user() -> None:
    frame = moments(SHARE).rename(columns={"Close": "px", "Volume": "n"})
    with pytest.raises(DataError, match="no column for close and volume"):
        read(frame, symbol="FPT")
    assert same_bars(one(frame, symbol="FPT", columns={"close": "px", "volume": "n"}), SHARE)
    with pytest.raises(DataError, match=r"no column 'pxx', did you mean 'px'\?"):
        read(frame, symbol="FPT", columns={"close": "pxx"})
    with pytest.raises(DataError, match=r"unknown role 'closing'.*did you mean 'close'\?"):
        read(frame, symbol="FPT", columns={"closing": "px"})


def test_a_board_column_is_believed() -> None:
    frame = days_frame = daily(days_of(SHARE)).reset_index().assign(symbol="SHS", exchange="HNX")
    assert one(days_frame).board is Board.HNX
    assert one(frame, board="UPCOM").board is Board.UPCOM


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"Date,Open,High,Low,Close,Volume\n", "no rows"),
        (b"a,b\n1,2\n", "no column for date and open"),
        (b"Date,Open,High,Low,Close,Volume\n2024-03-04,1,2\n", "cannot be read"),
        (b"\x00\x01\x02\xff\xfe", "FPT.csv"),
        (b"PAR1", "FPT.csv"),
        (b"Date,Open,High,Low,Close,Volume\nnever,1,2,1,2,3\n", "row 1"),
        (b"Date,Open,High,Low,Close,Volume\n2024-03-04,x,2,1,2,3\n", "row 1"),
        (b"Date,Open,High,Low,Close,Volume\n2024-03-04 09:00,1,2,1,2,3\n", "width"),
        (
            b"Date,Open,High,Low,Close,Volume\n2024-03-01,1,2,1,2,3\n2024-04-01,1,2,1,2,3\n",
            "wider than a day",
        ),
    ],
)
def test_unusable_files_are_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "FPT.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "FPT.csv")
    with pytest.raises(DataError, match="no CSV or Parquet"):
        read(tmp_path)
    broken = tmp_path / "FPT.parquet"
    broken.write_bytes(b"not parquet at all")
    with pytest.raises(DataError, match="cannot be read"):
        read(broken)
    with pytest.raises(DataError, match="from a int"):
        read(5)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="cannot tell the symbol"):
        read(moments(SHARE))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"unit": "dollar"}, "use dong, thousand or point"),
        ({"unit": "point"}, "is for futures"),
        ({"stamp": "middle"}, "start or the end"),
        ({"board": "NYSE"}, "HOSE, HNX, UPCOM"),
        ({"width": "7m"}, "1m, 5m"),
    ],
)
def test_impossible_overrides(overrides: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        read(moments(SHARE), symbol="FPT", **overrides)


def test_futures_have_no_unit_of_money() -> None:
    with pytest.raises(SettingError, match="points"):
        read(contracts(FUTURE), symbol="VN30F1M", unit="thousand")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("vn30f1m_15m_2018_2024", "VN30F1M"),
        ("FPT", "FPT"),
        ("fpt_daily", "FPT"),
        ("raw-1m-HPG-2024", "HPG"),
        ("vn30f_5m_2023", "VN30F1M"),
        ("VN30F2306", "VN30F2306"),
        ("41I1GC000_1m", "41I1GC000"),
        ("E1VFVN30", "E1VFVN30"),
        ("CFPT2401 1m", "CFPT2401"),
        ("2024_prices", ""),
    ],
)
def test_symbols_in_file_names(name: str, symbol: str) -> None:
    assert symbol_in(name) == symbol


def test_one_file_twice_is_refused(tmp_path: Path) -> None:
    for name in ("FPT_1", "FPT_2"):
        moments(SHARE).to_csv(tmp_path / f"{name}.csv")
    with pytest.raises(DataError, match="comes twice"):
        read(tmp_path)
    assert [reading.symbol for reading in examine(tmp_path)] == ["FPT", "FPT"]
