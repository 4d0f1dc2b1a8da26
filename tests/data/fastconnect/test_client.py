"""The REST client against a server on a real socket, with the official client as the oracle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import ssi_fc_data
import trustme
from hypothesis import given
from hypothesis import strategies as st
from ssi_fc_data.model import model as official

from algo.clock import DAY, HOUR, MINUTE, SECOND, at
from algo.data.fastconnect.answers import DailyBar, MinuteBar, read_page
from algo.data.fastconnect.client import DataClient
from algo.data.fastconnect.history import daily_series, minute_series
from algo.data.fastconnect.pace import SLACK, Pace
from algo.data.fastconnect.snapshot import snapshot
from algo.errors import AuthError, DataError, ProtocolError, QueryFailed, QuotaExceeded, RequestRefused
from algo.fastconnect.secret import Secret
from algo.fastconnect.transport import open_client, trust
from algo.model import Board
from tests.brokers.fctrading.conftest import server_context
from tests.brokers.fctrading.stub import Reply, Seen, Stub, envelope, in_thread, jwt

MONDAY = date(2026, 6, 8)
NOW = at(MONDAY, 10 * HOUR)
ROW = {
    "Symbol": "FPT", "TradingDate": "08/06/2026", "Time": "09:15:04", "Open": "100", "High": "102.5",
    "Low": "99", "Close": "101", "Volume": "1200", "Value": "0",
}  # fmt: skip


def rows(found: list, total: int | None = None, key: str = "data", status: object = "Success") -> Reply:
    answer = {"message": "Success", "status": status, "totalRecord": len(found) if total is None else total}
    return Reply(json.dumps(answer | {key: found}).encode())


def server(answer: Callable[[Seen], Reply], context: ssl.SSLContext | None = None) -> Stub:
    def reply(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            return envelope({"accessToken": jwt(time.time() + 8 * 3600)})
        return answer(seen)

    return Stub(reply, context)


def faulty(left: list[Reply]) -> Stub:
    """A server that answers with what is left, then well."""
    return server(lambda seen: left.pop() if left else rows([ROW]))


@contextlib.asynccontextmanager
async def client_of(
    url: str, context: ssl.SSLContext | None = None, pace: Pace | None = None
) -> AsyncIterator[DataClient]:
    client = DataClient(
        open_client(url, context or trust()),
        Secret("planted-id"),
        Secret("planted-secret"),
        wall=time.time_ns,
        random=lambda: 0.0,
        pace=pace or Pace((1000, 1.0)),
    )
    try:
        yield client
    finally:
        await client.close()


# The requests


def test_the_requests_are_the_official_clients() -> None:
    stub = server(lambda seen: rows([ROW]))
    span = {"fromDate": "08/06/2026", "toDate": "09/06/2026", "pageIndex": 1, "pageSize": 1000}
    with in_thread(stub):
        config = SimpleNamespace(
            url=stub.url + "/", consumerID="planted-id", consumerSecret="planted-secret", auth_type="Bearer"
        )
        theirs = ssi_fc_data.fc_md_client.MarketDataClient(config)
        theirs.securities(config, official.securities("HOSE", 1, 1000))
        theirs.securities_details(config, official.securities_details("HOSE", "FPT", "1", "100"))
        theirs.index_components(config, official.index_components("VN30", 1, 100))
        theirs.daily_ohlc(config, official.daily_ohlc("FPT", **span))
        theirs.intraday_ohlc(config, official.intraday_ohlc("FPT", **span))
        theirs.daily_stock_price(config, official.daily_stock_price("FPT", **span, market="HOSE"))
        theirs.index_list(config, official.index_list("HOSE", 1, 100))
        theirs.daily_index(config, official.daily_index("", "VN30", **span))
        expected, stub.seen = stub.seen, []

        async def ours() -> None:
            tuesday = MONDAY + timedelta(days=1)
            async with client_of(stub.url) as client:
                await client.securities("HOSE")
                await client.security("FPT", "HOSE")
                with contextlib.suppress(ProtocolError):
                    await client.index_members("VN30")
                await client.daily_bars("FPT", MONDAY, tuesday)
                await client.minute_bars("FPT", MONDAY, tuesday)
                await client.day_prices("FPT", MONDAY, tuesday, "HOSE")
                with contextlib.suppress(ProtocolError):
                    await client.indices("HOSE")
                with contextlib.suppress(ProtocolError):
                    await client.index_days("VN30", MONDAY, tuesday)

        asyncio.run(ours())
    assert [(s.method, s.path, s.query) for s in stub.seen] == [(s.method, s.path, s.query) for s in expected]
    assert stub.seen[0].json() == expected[0].json()
    scheme = [seen.headers["authorization"].split()[0] for seen in stub.seen[1:]]
    assert scheme == [seen.headers["authorization"].split()[0] for seen in expected[1:]]


async def test_long_spans_are_asked_thirty_days_at_a_time() -> None:
    async with server(lambda seen: rows([])) as stub, client_of(stub.url) as client:
        assert await client.daily_bars("FPT", date(2026, 1, 1), date(2026, 3, 3)) == []
        asked = [(dict(seen.query)["fromDate"], dict(seen.query)["toDate"]) for seen in stub.seen[1:]]
    assert asked == [("01/01/2026", "30/01/2026"), ("31/01/2026", "01/03/2026"), ("02/03/2026", "03/03/2026")]


# The answers


@pytest.mark.parametrize("case", [str, str.lower, str.upper])
@pytest.mark.parametrize("key", ["data", "dataList"])
@pytest.mark.parametrize("status", ["Success", "SUCCESS", 200, "200"])
async def test_answers_are_read_in_any_form(case: Callable[[str], str], key: str, status: object) -> None:
    row = {case(name): value for name, value in ROW.items()}
    answer = rows([row], key=case(key), status=status)
    async with server(lambda seen: answer) as stub, client_of(stub.url) as client:
        (bar,) = await client.minute_bars("FPT", MONDAY, MONDAY)
    assert (bar.day, bar.time, bar.high, bar.volume) == (
        MONDAY,
        9 * HOUR + 15 * MINUTE + 4 * SECOND,
        102.5,
        1200,
    )


async def test_details_and_members_come_out_of_their_groups() -> None:
    detail = {
        "Symbol": "FPT",
        "SecType": "ST",
        "LotSize": "100",
        "FirstTradingDate": "13/12/2006",
        "LastTradingDate": "",
    }
    member = {"isin": "1", "stocksymbol": "FPT"}
    found = {
        "securitiesdetails": [{"RType": "y", "ReportDate": "08/06/2026", "RepeatedInfo": [detail]}],
        "indexcomponents": [{"indexcode": "VN30", "indexcomponentList": [member]}],
    }
    async with server(lambda seen: rows(found[seen.name])) as stub, client_of(stub.url) as client:
        one = await client.security("fpt")
        assert one is not None
        assert (one.type, one.lot_size, one.first_trading_date, one.last_trading_date) == (
            "ST", 100, date(2006, 12, 13), None,
        )  # fmt: skip
        assert await client.security("ABC") is None
        assert await client.index_members("VN30") == ["FPT"]


@pytest.mark.parametrize("case", [str, str.lower])
async def test_indices_and_their_days(case: Callable[[str], str]) -> None:
    day = {
        "IndexId": "VN30", "IndexValue": "1402.55", "TradingDate": "09/06/2026", "Time": "15:00:00",
        "Change": "-3.2", "RatioChange": "-0.23", "TotalTrade": "0", "TotalMatchVol": "210000000",
        "TotalMatchVal": "6200000000000", "TypeIndex": "Main", "IndexName": "VN30", "Advances": "9",
        "NoChanges": "1", "Declines": "20", "Ceilings": "0", "Floors": "NaN", "TotalDealVol": "5",
        "TotalDealVal": "6", "TotalVol": "210000005", "TotalVal": "6200000000006", "TradingSession": "C",
    }  # fmt: skip
    before = day | {"TradingDate": "08/06/2026", "Time": "", "IndexValue": "1405.75"}
    found = {
        "indexlist": [{"IndexCode": "VN30", "IndexName": "VN30 Index", "Exchange": "HOSE"}],
        "dailyindex": [day, before],
    }
    spelled = {name: [{case(k): v for k, v in row.items()} for row in some] for name, some in found.items()}
    async with server(lambda seen: rows(spelled[seen.name])) as stub, client_of(stub.url) as client:
        (index,) = await client.indices("HOSE")
        assert (index.code, index.name, index.exchange) == ("VN30", "VN30 Index", "HOSE")
        first, last = await client.index_days("VN30", MONDAY, MONDAY + timedelta(days=1))
    assert (first.day, first.time, first.close) == (MONDAY, None, 1405.75)
    assert (last.index, last.name, last.type, last.session, last.time) == (
        "VN30", "VN30", "Main", "C", 15 * HOUR,
    )  # fmt: skip
    assert (last.close, last.change, last.change_percent, last.trades) == (1402.55, -3.2, -0.23, 0)
    assert (last.volume, last.value) == (210_000_000, 6_200_000_000_000)
    assert (last.deal_volume, last.deal_value) == (5, 6)
    assert (last.total_volume, last.total_value) == (210_000_005, 6_200_000_000_006)
    counts = (last.advances, last.no_changes, last.declines, last.ceilings, last.floors)
    assert counts == (9, 1, 20, 0, None)
    assert not last.model_extra


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
@pytest.mark.parametrize("tells", [True, False])
async def test_all_pages_are_fetched(count: int, tells: bool) -> None:
    every = [ROW | {"Close": str(n + 1)} for n in range(count)]

    def answer(seen: Seen) -> Reply:
        query = dict(seen.query)
        size = int(query["pageSize"])
        first = (int(query["pageIndex"]) - 1) * size
        return rows(every[first : first + size], count if tells else 0)

    async with server(answer) as stub, client_of(stub.url) as client:
        found = await client.minute_bars("FPT", MONDAY, MONDAY)
    assert [bar.close for bar in found] == [float(n + 1) for n in range(count)]


async def test_rows_that_are_missing_are_no_rest() -> None:
    short = server(lambda seen: rows([ROW] if "pageIndex=1&" in seen.target else [], 7))
    async with short as stub, client_of(stub.url) as client:
        with pytest.raises(QueryFailed, match="1 of 7"):
            await client.minute_bars("FPT", MONDAY, MONDAY)
    async with server(lambda seen: rows([ROW] * 1000, 20_000)) as stub, client_of(stub.url) as client:
        with pytest.raises(QueryFailed, match="more rows"):
            await client.minute_bars("FPT", MONDAY, MONDAY)


# Faults


@pytest.mark.parametrize(
    "fault",
    [
        Reply(drop=True),
        Reply(b"oops", 502),
        Reply(b"<html>", 200),
        Reply(b'{"message":1}', 200),
        Reply(b"{}", cut=1),
    ],
    ids=["drop", "502", "page", "no status", "cut"],
)
async def test_faults_are_tried_again_and_then_told(fault: Reply) -> None:
    left = [fault, fault]
    async with (
        faulty(left) as stub,
        client_of(stub.url) as client,
    ):
        assert len(await client.daily_bars("FPT", MONDAY, MONDAY)) == 1
        left += [fault] * 10
        with pytest.raises(QueryFailed):
            await client.daily_bars("FPT", MONDAY, MONDAY)


async def test_a_refusal_is_told_and_not_tried_again() -> None:
    answer = Reply(b'{"message":"Symbol must not be empty","status":"BadRequest","data":null}')
    async with server(lambda seen: answer) as stub, client_of(stub.url) as client:
        with pytest.raises(RequestRefused, match="must not be empty"):
            await client.daily_bars("", MONDAY, MONDAY)
        assert len(stub.named("DailyOhlc")) == 1


async def test_no_rows_are_no_refusal() -> None:
    answer = Reply(b'{"message":"No data found","status":"NoDataFound","data":[]}')
    async with server(lambda seen: answer) as stub, client_of(stub.url) as client:
        assert await client.daily_bars("FPT", MONDAY, MONDAY) == []


@pytest.mark.parametrize("refusal", [Reply(b"", 401), Reply(b'{"message":"Unauthorized","status":401}')])
async def test_a_refused_token_is_renewed_once(refusal: Reply) -> None:
    left = [refusal]
    async with (
        faulty(left) as stub,
        client_of(stub.url) as client,
    ):
        assert await client.daily_bars("FPT", MONDAY, MONDAY)
        assert len(stub.named("AccessToken")) == 2
        left += [refusal] * 9
        with pytest.raises(AuthError):
            await client.daily_bars("FPT", MONDAY, MONDAY)
        assert len(left) == 7


async def test_a_refused_key_is_told_and_nothing_shows_it() -> None:
    answer = Reply(b'{"message":"ConsumerID is invalid","status":400}')
    async with Stub(lambda seen: answer) as stub, client_of(stub.url) as client:
        with pytest.raises(AuthError, match="ConsumerID is invalid") as caught:
            await client.securities("HOSE")
        shown = "".join(
            traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
        )
        assert "planted" not in shown
        assert len(stub.seen) == 1


async def test_one_token_for_many_callers_and_a_new_one_ahead_of_its_end() -> None:
    life = [8 * 3600.0, 8 * 3600.0]

    def answer(seen: Seen) -> Reply:
        if seen.name == "accesstoken":
            return envelope({"accessToken": jwt(time.time() + life.pop(0), n=len(life))})
        return rows([ROW])

    async with Stub(answer) as stub, client_of(stub.url) as client:
        await asyncio.gather(*(client.daily_bars("FPT", MONDAY, MONDAY) for _ in range(5)))
        assert len(stub.named("AccessToken")) == 1
        token = await client.token()
        client.token_refused(Secret("another"))
        assert await client.token() == token
        client.token_refused(token)
        assert await client.token() != token
    async with Stub(answer) as stub, client_of(stub.url) as client:
        life += [-1.0, 3600.0]
        await client.token()
        await client.token()
        assert len(stub.named("AccessToken")) == 2


async def test_the_rate_limit_is_learned() -> None:
    full = Reply(b"API calls quota exceeded! maximum admitted 3 per 1s.", 429, {"Retry-After": "0.1"})
    left = [full]
    pace = Pace((1000, 1.0))
    async with faulty(left) as stub, client_of(stub.url, pace=pace) as client:
        assert await client.daily_bars("FPT", MONDAY, MONDAY)
        assert pace.limit == (3, 1.0)
        left += [full] * 9
        with pytest.raises(QuotaExceeded):
            await client.daily_bars("FPT", MONDAY, MONDAY)


@given(st.integers(1, 5), st.floats(0.1, 60), st.lists(st.floats(0, 30), max_size=30))
def test_no_window_holds_more_calls_than_the_limit(calls: int, period: float, gaps: list[float]) -> None:
    pace, now, made = Pace((calls, period)), 1000.0, []
    for gap in gaps:
        now += gap
        now += pace.delay(now)
        assert pace.delay(now) <= 1e-6
        pace.spend(now)
        made.append(now)
    for place in range(calls, len(made)):
        assert made[place] - made[place - calls] >= period + SLACK - 1e-6


async def test_a_server_with_a_wrong_certificate_is_refused(authority: trustme.CA, ca_file: str) -> None:
    for name, trusted in (("other.example", True), ("localhost", False)):
        context = trust(ca_file) if trusted else trust()
        async with server(lambda seen: rows([]), server_context(authority, name)) as stub:
            async with client_of(stub.url, context) as client:
                with pytest.raises(QueryFailed, match=r"(?i)certificate"):
                    await client.securities("HOSE")
            assert stub.seen == []
    good = server(lambda seen: rows([]), server_context(authority, "localhost"))
    async with good as stub, client_of(stub.url, trust(ca_file)) as client:
        assert await client.securities("HOSE") == []


# Series and snapshot


def test_minutes_become_a_series_of_complete_bars() -> None:
    times = ["09:15:04", "09:16:59", "09:15:30", "09:59:00", "10:00:00"]
    bars = [MinuteBar.read(ROW | {"Time": text, "Volume": n + 1}) for n, text in enumerate(times)]
    bars += [bars[0], MinuteBar.read(ROW | {"Time": "09:40:00", "Low": "0"})]
    series = minute_series("FPT", bars, NOW)
    assert [(int(ns) - at(MONDAY)) // MINUTE for ns in series.time] == [556, 557, 600]
    assert series.volume.tolist() == [4, 2, 4]
    assert series.width == MINUTE
    assert "1 rows" in series.notes[0]
    assert len(minute_series("FPT", [], NOW)) == 0


def test_days_become_a_series_without_today() -> None:
    days = [DailyBar.read(ROW | {"TradingDate": f"{n:02}/06/2026"}) for n in (8, 5, 4)]
    series = daily_series("VN30F1M", days, NOW)
    assert series.board is Board.DERIVATIVES
    morning = 8.75 / 24
    assert [(int(ns) - at(MONDAY)) / DAY for ns in series.start] == pytest.approx(
        [-4 + morning, -3 + morning]
    )
    assert len(daily_series("VN30F1M", days, at(MONDAY, 15 * HOUR))) == 3


async def test_a_snapshot_is_the_last_day_and_its_last_minute() -> None:
    price = {
        "symbol": "FPT", "tradingdate": "08/06/2026", "ceilingprice": "107", "floorprice": "93",
        "refprice": "100",
        "openprice": "100", "highestprice": "103", "lowestprice": "99",
        "closeprice": "101", "totalmatchvol": "5000",
    }  # fmt: skip
    found = {"dailystockprice": [price], "intradayohlc": [ROW, ROW | {"Time": "09:58:00", "Close": "102"}]}
    async with server(lambda seen: rows(found[seen.name])) as stub, client_of(stub.url) as client:
        one = await snapshot(client, "fpt", NOW)
        assert (one.last, one.change, one.ceiling, one.volume) == (102.0, 2.0, 107.0, 5000)
        assert one.ns == at(MONDAY, 9 * HOUR + 58 * MINUTE)
        found["dailystockprice"] = []
        one = await snapshot(client, "fpt", NOW)
        assert (one.last, one.reference, one.high, one.volume) == (102.0, None, 102.5, 2400)
        found["intradayohlc"] = []
        with pytest.raises(DataError, match="no price of FPT"):
            await snapshot(client, "fpt", NOW)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    page = read_page(body)
    assert page is None or isinstance(page.rows, list)
