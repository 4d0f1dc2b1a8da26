"""Market data over REST: rows, pages, days, refusals; as algo's and SSI's own clients read them."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from algo.clock import HOUR, MINUTE, at
from algo.data import synthetic, widen
from algo.data.fastconnect.answers import (
    DailyBar,
    DayPrice,
    IndexMember,
    MinuteBar,
    Security,
    SecurityDetail,
    grouped,
    read_page,
)
from algo.data.fastconnect.history import daily_series, minute_series
from algo.market import band
from algo.model import Board
from algo.sandbox.market_api import MarketApi
from algo.sandbox.messages import Request
from algo.sandbox.sources.bars import BarReplay
from algo.sandbox.sources.flow import SyntheticFlow
from algo.sandbox.world import World
from tests.generators.stepped import quiet

DATA = synthetic.make(days=60, seed=3)
FUTURE, FPT = DATA["VN30F1M"], DATA["FPT"]
FIRST = date(2025, 8, 18)
NOW = at(date(2025, 8, 27), 14 * HOUR)


@pytest.fixture(scope="module")
def world() -> World:
    """Bars replayed from 18 August on, now the 27th at 14:00; a contract ended on the 21st. (September was
    listed before KRX and kept its name.)"""
    made = quiet(BarReplay(DATA, day=FIRST))
    made.advance(NOW)
    return made


@pytest.fixture(scope="module")
def api(world: World) -> MarketApi:
    return MarketApi(world)


def ask(api: MarketApi, name: str, **query: object) -> dict[str, Any]:
    response = api.handle(
        Request("GET", f"/api/v2/Market/{name}", tuple((key, str(value)) for key, value in query.items()))
    )
    assert response.status == 200
    assert response.content_type.startswith("application/json")
    found: dict[str, Any] = json.loads(response.body)
    return found


def rows(api: MarketApi, name: str, symbol: str, first: date, last: date, **more: object) -> list[Any]:
    query = {
        "symbol": symbol,
        "fromDate": f"{first:%d/%m/%Y}",
        "toDate": f"{last:%d/%m/%Y}",
        "pageSize": 1000,
    }
    found = ask(api, name, **(query | more))
    assert found["status"] == "Success", found
    data: list[Any] = found["data"]
    return data


def values(row: object) -> list[Any]:
    if isinstance(row, dict):
        return [value for inner in row.values() for value in values(inner)]
    return [value for inner in row for value in values(inner)] if isinstance(row, list) else [row]


def test_every_value_is_text(api: MarketApi) -> None:
    span = {"fromDate": "20/08/2025", "toDate": "27/08/2025", "pageSize": 10}
    for name, query in {
        "Securities": {}, "SecuritiesDetails": {"symbol": "FPT"}, "IndexComponents": {"indexCode": "VN30"},
        "IndexList": {}, "DailyOhlc": {"symbol": "FPT", **span}, "IntradayOhlc": {"symbol": "FPT", **span},
        "DailyIndex": {"indexId": "VN30", **span}, "DailyStockPrice": {"symbol": "FPT", **span},
    }.items():  # fmt: skip
        found = ask(api, name, **query)
        assert found["data"], name
        assert list(found) == ["data", "message", "status", "totalRecord"]
        assert all(isinstance(value, str) for value in values(found["data"])), name


def test_securities_are_what_trades_by_the_exchange_s_codes(api: MarketApi) -> None:
    securities = [Security.read(row) for row in ask(api, "Securities", pageSize=100)["data"]]
    assert {one.symbol: one.market for one in securities} == {
        "VN30F2509": "DER", "FPT": "HOSE", "HPG": "HOSE", "VCB": "HOSE",
    }  # fmt: skip
    assert [row["Symbol"] for row in ask(api, "Securities", market="der")["data"]] == ["VN30F2509"]
    assert ask(api, "Securities", market="UPCOM")["data"] == []


def test_details_tell_the_terms_of_a_contract(api: MarketApi) -> None:
    for symbol in ("VN30F2509", "VN30F1M"):
        page = read_page(json.dumps(ask(api, "SecuritiesDetails", symbol=symbol)).encode())
        assert page is not None
        (detail,) = map(SecurityDetail.read, grouped(page.rows, "repeatedinfo"))
        assert (detail.symbol, detail.type, detail.lot_size, detail.multiplier) == (
            "VN30F2509",
            "FU",
            1,
            100_000,
        )
        assert detail.last_trading_date == date(2025, 9, 18)
    page = read_page(json.dumps(ask(api, "SecuritiesDetails", pageIndex="", pageSize="")).encode())
    assert page is not None
    assert len(grouped(page.rows, "repeatedinfo")) == 4
    assert page.total == len(page.rows) == 1


def test_an_index_has_its_board_s_shares(api: MarketApi) -> None:
    page = read_page(json.dumps(ask(api, "IndexComponents", indexCode="vn30")).encode())
    assert page is not None
    assert [IndexMember.read(row).symbol for row in grouped(page.rows, "indexcomponent")] == [
        "FPT",
        "HPG",
        "VCB",
    ]
    assert [row["IndexCode"] for row in ask(api, "IndexList", exchange="HOSE")["data"]] == ["VN30"]
    assert ask(api, "IndexComponents", indexCode="NOPE")["data"] == []


@pytest.mark.parametrize("symbol", ["FPT", "VN30F1M"])
def test_minutes_are_the_series_up_to_now(api: MarketApi, symbol: str) -> None:
    first, last = date(2025, 8, 10), date(2025, 8, 27)
    found = minute_series(symbol, map(MinuteBar.read, _all(api, "IntradayOhlc", symbol, first, last)), NOW)
    known = DATA[symbol].between(first)
    known = known.take(known.time <= NOW)
    for column in ("start", "time", "open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(found, column), getattr(known, column)), column


def _all(api: MarketApi, name: str, symbol: str, first: date, last: date) -> list[Any]:
    found: list[Any] = []
    for index in range(1, 11):
        page = rows(api, name, symbol, first, last, pageIndex=index)
        found += page
        if len(page) < 1000:
            break
    return found


def test_days_are_the_series_widened(api: MarketApi) -> None:
    first, last = date(2025, 8, 1), date(2025, 8, 26)
    for symbol in ("FPT", "VN30F1M"):
        found = daily_series(symbol, map(DailyBar.read, rows(api, "DailyOhlc", symbol, first, last)), NOW)
        known = widen(DATA[symbol].between(first, last), "1d", now=NOW)
        for column in ("open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(found, column), getattr(known, column)), column


def test_a_contract_s_rows_are_those_of_its_own_time(api: MarketApi) -> None:
    first, last = date(2025, 8, 11), date(2025, 8, 27)
    august = [row["TradingDate"] for row in rows(api, "DailyOhlc", "41I1F8000", first, last)]
    september = [row["TradingDate"] for row in rows(api, "DailyOhlc", "VN30F2509", first, last)]
    alias = [row["TradingDate"] for row in rows(api, "DailyOhlc", "VN30F1M", first, last)]
    assert august + september == alias
    assert (august[-1], september[0]) == ("21/08/2025", "22/08/2025")
    assert rows(api, "DailyOhlc", "NOPE", first, last) == []


def test_today_s_row_grows_with_the_day(api: MarketApi, world: World) -> None:
    today = world.day
    (row,) = rows(api, "DailyStockPrice", "FPT", today, today)
    price, state = DayPrice.read(row), world.tape.states["FPT"]
    assert (price.day, price.close, price.volume) == (today, state.last, state.volume)
    assert (price.floor, price.reference, price.ceiling) == (state.floor, state.reference, state.ceiling)
    assert price.change == pytest.approx(state.last - state.reference)


def test_limits_of_days_before_the_first_follow_the_rules(api: MarketApi, world: World) -> None:
    found = [
        DayPrice.read(row) for row in rows(api, "DailyStockPrice", "FPT", date(2025, 8, 4), date(2025, 8, 26))
    ]
    fpt = world.instruments["FPT"]
    for before, one in pairwise(found):
        limits = band(fpt, fpt.units(before.close or 0), one.day)
        assert (one.floor, one.reference, one.ceiling) == tuple(map(fpt.price, limits))


def test_an_index_goes_on_from_its_past(api: MarketApi, world: World) -> None:
    found = [
        (row["TradingDate"], float(row["IndexValue"]), float(row["Change"]))
        for row in ask(
            api, "DailyIndex", indexId="VN30", fromDate="04/08/2025", toDate="27/08/2025", pageSize=100
        )["data"]
    ]
    assert len(found) == 18
    for before, one in pairwise(found):
        assert one[1] - one[2] == pytest.approx(before[1], abs=0.02)
    assert found[-1][1] == world.tape.indices.states["VN30"].value
    newest_first = ask(
        api, "DailyIndex", indexId="VN30", fromDate="04/08/2025", toDate="27/08/2025", pageSize=100,
        orderBy="TradingDate", order="desc",
    )["data"]  # fmt: skip
    assert [row["TradingDate"] for row in newest_first] == [row[0] for row in found][::-1]


def test_pages_cut_the_rows_and_the_order_turns(api: MarketApi) -> None:
    first, last = date(2025, 8, 20), date(2025, 8, 27)
    every = _all(api, "IntradayOhlc", "FPT", first, last)
    span = {"symbol": "FPT", "fromDate": "20/08/2025", "toDate": "27/08/2025"}
    for size in (10, 20, 50, 100, 500):
        for index in (1, 2, 7):
            found = ask(api, "IntradayOhlc", pageIndex=index, pageSize=size, **span)
            assert found["data"] == every[(index - 1) * size : index * size]
            assert found["totalRecord"] == len(every)
    turned = ask(api, "IntradayOhlc", pageSize=10, ascending="False", **span)["data"]
    assert turned == every[::-1][:10]
    assert len(ask(api, "IntradayOhlc", **span)["data"]) == 10


@pytest.mark.parametrize(
    ("name", "query", "reason"),
    [
        ("DailyOhlc", {"symbol": ""}, "'Symbol' must not be empty."),
        ("DailyOhlc", {"fromDate": ""}, "'From Date' must not be empty."),
        ("DailyOhlc", {"toDate": "2025-08-27"}, "'To Date' is not valid"),
        ("DailyOhlc", {"toDate": "31/02/2025"}, "'To Date' is not valid"),
        ("DailyOhlc", {"fromDate": "28/08/2025"}, "less than or equal"),
        ("IntradayOhlc", {"fromDate": "01/07/2025"}, "30 days"),
        ("DailyStockPrice", {"pageIndex": 11}, "'Page Index'"),
        ("DailyStockPrice", {"pageIndex": 0}, "'Page Index'"),
        ("DailyStockPrice", {"pageSize": 7}, "'Page Size'"),
        ("DailyStockPrice", {"pageSize": "many"}, "'Page Size'"),
        ("DailyIndex", {"indexId": ""}, "'Index Id' must not be empty."),
        ("IndexComponents", {}, "'Index Code' must not be empty."),
        ("Securities", {"market": "NYSE"}, "Market is not valid"),
    ],
)
def test_refusals_say_why_with_http_200(
    api: MarketApi, name: str, query: dict[str, Any], reason: str
) -> None:
    usual = {"symbol": "FPT", "indexId": "VN30", "fromDate": "20/08/2025", "toDate": "27/08/2025"}
    found = ask(api, name, **(usual | query if name != "Securities" else query))
    assert found["status"] == 400
    assert reason in found["message"]
    assert list(found) == ["message", "status"]


def test_other_paths_and_methods_are_none_of_it(api: MarketApi) -> None:
    assert api.answers("/api/v2/Market/securities")
    assert not api.answers("/api/v2/Market/AccessToken")
    assert not api.answers("/api/v2/Trading/NewOrder")
    assert api.handle(Request("GET", "/api/v2/Market/Nothing")).status == 404
    assert api.handle(Request("POST", "/api/v2/Market/Securities")).status == 405


def test_before_the_first_day_there_is_a_past_only() -> None:
    api = MarketApi(quiet(BarReplay(DATA, day=FIRST)))
    found = rows(api, "DailyOhlc", "FPT", FIRST - timedelta(days=7), FIRST)
    assert [row["TradingDate"] for row in found][-1] == "15/08/2025"


def test_a_made_up_market_has_a_past_for_every_symbol() -> None:
    day = date(2026, 6, 8)
    world = quiet(SyntheticFlow(day, seed=1, intensity=0.05))
    world.advance(at(day, 10 * HOUR))
    api = MarketApi(world)
    for symbol, instrument in world.instruments.items():
        found = rows(api, "DailyStockPrice", symbol, date(2026, 5, 25), day)
        assert len(found) == 11
        if instrument.board in (Board.HOSE, Board.HNX):
            assert [row["RefPrice"] for row in found[1:]] == [row["ClosePrice"] for row in found[:-1]]
        minutes = rows(api, "IntradayOhlc", symbol, day, day)
        assert minutes[-1]["Close"] == f"{world.tape.states[symbol].last:.10g}"
    assert len(rows(api, "IntradayOhlc", "VN30F1M", date(2026, 6, 5), date(2026, 6, 5))) == 241


def test_a_made_up_minute_begins_with_its_first_trade() -> None:
    day = date(2026, 6, 8)
    world = quiet(SyntheticFlow(day, seed=1, intensity=0.2))
    world.advance(at(day, 9 * HOUR + 20 * MINUTE))
    (first, *_) = world.tape.minutes("FPT", day, day)
    row = rows(MarketApi(world), "IntradayOhlc", "FPT", day, day)[0]
    assert row["Time"] == "09:15:00"
    assert first.start == at(day, 9 * HOUR + 15 * MINUTE)
    assert first.start <= first.first <= first.ns < first.start + MINUTE


def test_the_official_client_reads_all_of_it(api: MarketApi, monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("ssi_fc_data.fc_md_client")
    from ssi_fc_data.model import model

    def get(url: str, params: dict[str, Any], headers: dict[str, str]) -> SimpleNamespace:
        query = tuple((key, str(value)) for key, value in params.items())
        response = api.handle(Request("GET", "/" + url.partition("//")[2].partition("/")[2], query))
        return SimpleNamespace(content=response.body)

    monkeypatch.setattr(module.requests, "get", get)
    client = object.__new__(module.MarketDataClient)
    client._config = SimpleNamespace(url="http://localhost/")
    client._header = {}
    client._access_token = SimpleNamespace(is_expired=lambda: False, get_access_token=lambda: "token")
    span = ("20/08/2025", "27/08/2025")
    for call, query in (
        (client.securities, model.securities("HOSE")),
        (client.securities_details, model.securities_details("HOSE", "FPT")),
        (client.index_components, model.index_components("VN30")),
        (client.index_list, model.index_list("HOSE")),
        (client.daily_ohlc, model.daily_ohlc("FPT", *span)),
        (client.intraday_ohlc, model.intraday_ohlc("FPT", *span)),
        (client.daily_index, model.daily_index("123", "VN30", *span)),
        (client.daily_stock_price, model.daily_stock_price("FPT", *span)),
    ):
        found = call(None, query)
        assert found["status"] == "Success"
        assert found["data"]
