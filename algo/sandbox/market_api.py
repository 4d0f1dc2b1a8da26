"""FastConnect Data's REST endpoints, all but the token's: reference data and prices until now.

Answers have `message`, `status`, `totalRecord` and `data`; every value in a row is text; keys are spelled as
the live service does. A request that cannot be answered gets HTTP 200 with a number for `status` and the
reason for `message`. A query without rows is a success without rows. Dates are ``dd/MM/yyyy``.

Bars are as fine as they are known, which is minutes unless wider ones are replayed; `resolution` is ignored,
as by the service. The row of today is there while the day goes on. Aliases (VN30F1M) are answered with the
rows of the contracts they stood for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from algo.clock import at
from algo.data.fastconnect.fields import as_date
from algo.market import Contract, is_contract, last_trading_day, listing_day, lot, tick
from algo.model import Board, Instrument, Kind
from algo.sandbox.answers import Denied, encode, refusal
from algo.sandbox.indices import NAMES
from algo.sandbox.market_history import DayFigures, MarketHistory
from algo.sandbox.market_messages import MARKETS, ROOM, day_text, ratio, time_text
from algo.sandbox.messages import Request, Response
from algo.sandbox.world import World

PATH = "/api/v2/market/"
LONGEST = 30
"""Days that a query of prices may span."""
PAGES = 10
SIZES = (10, 20, 50, 100, 500, 1000)

Row = dict[str, Any]
_TYPES = {Kind.SHARE: "ST", Kind.ETF: "EF", Kind.WARRANT: "CW", Kind.FUTURE: "FU"}
_LISTED = 1_000_000_000


class MarketApi:
    """Answers from a world. It asks nobody who they are: see `identity`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._history = MarketHistory(world)
        self._endpoints: Mapping[str, Callable[[Request], list[Row]]] = {
            "securities": self._securities,
            "securitiesdetails": self._details,
            "indexcomponents": self._components,
            "indexlist": self._indices,
            "dailyohlc": self._daily_bars,
            "intradayohlc": self._minute_bars,
            "dailyindex": self._index_days,
            "dailystockprice": self._day_prices,
        }

    def answers(self, path: str) -> bool:
        """Whether there is such an endpoint."""
        return path.lower().startswith(PATH) and path.lower()[len(PATH) :] in self._endpoints

    def handle(self, request: Request) -> Response:
        """The answer to a GET of one of the endpoints."""
        endpoint = self._endpoints.get(request.path.lower().removeprefix(PATH))
        if endpoint is None:
            return Response(404)
        if request.method.upper() != "GET":
            return Response(405)
        try:
            index, size = _page(request)
            rows = endpoint(request)
        except Denied as denied:
            return refusal(denied)
        total = len(rows)
        page = rows[(index - 1) * size : index * size]
        if endpoint in (self._details, self._components):
            page, total = _grouped(endpoint == self._details, page, rows, self._world)
        return Response(
            200, encode({"data": page, "message": "Success", "status": "Success", "totalRecord": total})
        )

    # -- reference data -------------------------------------------------------------------------

    def _listed(self, request: Request) -> list[Instrument]:
        market = request.asked("market").strip().upper()
        if market and market not in MARKETS.values():
            raise Denied(f"Market is not valid: it is one of {', '.join(MARKETS.values())}")
        found = [one for one in self._world.instruments.values() if market in ("", MARKETS[one.board])]
        return sorted(found, key=lambda one: one.symbol)

    def _securities(self, request: Request) -> list[Row]:
        return [
            {
                "Market": MARKETS[one.board],
                "Symbol": one.symbol,
                "StockName": _name(one),
                "StockEnName": _english_name(one),
            }
            for one in self._listed(request)
        ]

    def _details(self, request: Request) -> list[Row]:
        wanted = request.asked("symbol").strip().upper()
        code = self._world.code(wanted)
        return [self._detail(one) for one in self._listed(request) if code in ("", one.symbol)]

    def _detail(self, one: Instrument) -> Row:
        day = self._world.day
        contract = Contract.parse(one.symbol) if is_contract(one.symbol) else None
        steps = _steps(one, day)
        future = one.kind is Kind.FUTURE
        row: Row = {
            "Isin": one.symbol,
            "Symbol": one.symbol,
            "SymbolName": _name(one),
            "SymbolEngName": _english_name(one),
            "SecType": _TYPES[one.kind],
            "MarketId": MARKETS[one.board],
            "Exchange": MARKETS[one.board],
            "Issuer": "",
            "LotSize": str(lot(one, day)),
            "IssueDate": "",
            "MaturityDate": _date(last_trading_day(contract)) if contract else "",
            "FirstTradingDate": _date(listing_day(contract)) if contract else "",
            "LastTradingDate": _date(last_trading_day(contract)) if contract else "",
            "ContractMultiplier": str(one.scale * one.multiplier) if future else "0",
            "SettlMethod": "C" if future else "",
            "Underlying": "VN30" if future else "",
            "PutOrCall": "",
            "ExercisePrice": "0",
            "ExerciseStyle": "",
            "ExcerciseRatio": "",
            "ListedShare": "0" if future else str(_LISTED),
        }
        for number in range(1, 5):
            low, step = steps[number - 1] if number <= len(steps) else (0, 0)
            row[f"TickPrice{number}"] = _number(one.price(low))
            row[f"TickIncrement{number}"] = _number(one.price(step))
        return row

    def _components(self, request: Request) -> list[Row]:
        index = request.asked("indexCode").strip()
        if not index:
            raise Denied("'Index Code' must not be empty.")
        name = next((one for one in NAMES.values() if one.upper() == index.upper()), "")
        return [
            {"Isin": symbol, "StockSymbol": symbol, "_index": name}
            for symbol in sorted(self._world.tape.indices.members(name))
        ]

    def _indices(self, request: Request) -> list[Row]:
        exchange = request.asked("exchange").strip().upper()
        return [
            {"IndexCode": name, "IndexName": name, "Exchange": MARKETS[board]}
            for board, name in NAMES.items()
            if exchange in ("", MARKETS[board]) and self._world.tape.indices.members(name)
        ]

    # -- prices -------------------------------------------------------------------------------

    def _daily_bars(self, request: Request) -> list[Row]:
        symbol, first, last = _asked(request)
        instrument = self._history.instrument(symbol)
        rows = [
            {
                "Symbol": symbol,
                "Market": MARKETS[instrument.board] if instrument else "",
                "TradingDate": _date(one.day),
                "Time": "",
                "Open": _number(one.open),
                "High": _number(one.high),
                "Low": _number(one.low),
                "Close": _number(one.close),
                "Volume": str(one.volume),
                "Value": str(one.value),
            }
            for one in self._history.days(symbol, first, last)
        ]
        return _ordered(request, rows)

    def _minute_bars(self, request: Request) -> list[Row]:
        symbol, first, last = _asked(request)
        rows = [
            {
                "Symbol": symbol,
                "Value": str(bar.value),
                "TradingDate": day_text(bar.start),
                "Time": time_text(bar.first),
                "Open": _number(bar.open),
                "High": _number(bar.high),
                "Low": _number(bar.low),
                "Close": _number(bar.close),
                "Volume": str(bar.volume),
            }
            for bar in self._history.candles(symbol, first, last)
        ]
        return _ordered(request, rows)

    def _index_days(self, request: Request) -> list[Row]:
        index, first, last = _asked(request, "indexId", "Index Id")
        name = next((one for one in NAMES.values() if one.upper() == index.upper()), index)
        state = self._world.tape.indices.states.get(name)
        rows = []
        for one in self._history.index_days(name, first, last):
            change = round(one.value - one.prior, 2)
            today = state if state is not None and one.day == self._world.day else None
            rows.append(
                {
                    "IndexId": name,
                    "IndexValue": _number(one.value),
                    "TradingDate": _date(one.day),
                    "Time": time_text(today.ns) if today else "15:00:00",
                    "Change": _number(change),
                    "RatioChange": _number(ratio(change, one.prior)),
                    "TotalTrade": "0",
                    "TotalMatchVol": str(one.volume),
                    "TotalMatchVal": str(one.turnover),
                    "TypeIndex": "Main",
                    "IndexName": name,
                    "Advances": str(today.advances if today else 0),
                    "NoChanges": str(today.unchanged if today else 0),
                    "Declines": str(today.declines if today else 0),
                    "Ceilings": str(today.ceilings if today else 0),
                    "Floors": str(today.floors if today else 0),
                    "TotalDealVol": "0",
                    "TotalDealVal": "0",
                    "TotalVol": str(one.volume),
                    "TotalVal": str(one.turnover),
                    "TradingSession": one.session,
                }
            )
        falling = request.asked("order").strip().lower() == "desc"
        return rows[::-1] if falling else rows

    def _day_prices(self, request: Request) -> list[Row]:
        symbol, first, last = _asked(request)
        return [_day_price(one) for one in self._history.days(symbol, first, last)]


def _day_price(one: DayFigures) -> Row:
    change = round(one.close - one.reference, 4) if one.reference else 0.0
    return {
        "TradingDate": _date(one.day),
        "PriceChange": _number(change),
        "PerPriceChange": _number(ratio(change, one.reference)),
        "CeilingPrice": _number(one.ceiling),
        "FloorPrice": _number(one.floor),
        "RefPrice": _number(one.reference),
        "OpenPrice": _number(one.open),
        "HighestPrice": _number(one.high),
        "LowestPrice": _number(one.low),
        "ClosePrice": _number(one.close),
        "AveragePrice": _number(one.average),
        "ClosePriceAdjusted": _number(one.close),
        "TotalMatchVol": str(one.volume),
        "TotalMatchVal": str(one.value),
        "TotalDealVal": "0",
        "TotalDealVol": "0",
        "ForeignBuyVolTotal": "0",
        "ForeignCurrentRoom": str(ROOM),
        "ForeignSellVolTotal": "0",
        "ForeignBuyValTotal": "0",
        "ForeignSellValTotal": "0",
        "TotalBuyTrade": "0",
        "TotalBuyTradeVol": "0",
        "TotalSellTrade": "0",
        "TotalSellTradeVol": "0",
        "NetForeignVol": "0",
        "NetForeignVal": "0",
        "TotalTradedVol": str(one.volume),
        "TotalTradedValue": str(one.value),
        "Symbol": one.symbol,
        "Time": "",
    }


# -- queries ------------------------------------------------------------------------------------


def _page(request: Request) -> tuple[int, int]:
    """Page and size, 1 and 10 when they are not given. Raises Denied."""
    index = _whole(request.asked("pageIndex"), "Page Index", 1)
    size = _whole(request.asked("pageSize"), "Page Size", 10)
    if not 1 <= index <= PAGES:
        raise Denied(f"'Page Index' must be between 1 and {PAGES}. You entered {index}.")
    if size not in SIZES:
        raise Denied(f"'Page Size' must be one of {', '.join(map(str, SIZES))}. You entered {size}.")
    return index, size


def _whole(text: str, label: str, default: int) -> int:
    text = text.strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Denied(f"'{label}' is not valid.")
    return int(text)


def _asked(request: Request, field: str = "symbol", label: str = "Symbol") -> tuple[str, date, date]:
    """The symbol and the days that a query is about; without days, today. Raises Denied."""
    symbol = request.asked(field).strip()
    if not symbol:
        raise Denied(f"'{label}' must not be empty.")
    first, last = _day(request, "fromDate", "From Date"), _day(request, "toDate", "To Date")
    if first > last:
        raise Denied("'From Date' must be less than or equal to 'To Date'.")
    if (last - first).days >= LONGEST + 1:
        raise Denied(f"The range of dates must not be longer than {LONGEST} days.")
    return symbol if field == "indexId" else symbol.upper(), first, last


def _day(request: Request, field: str, label: str) -> date:
    text = request.asked(field).strip()
    if not text:
        raise Denied(f"'{label}' must not be empty.")
    found = as_date(text) if "/" in text else None
    if found is None:
        raise Denied(f"'{label}' is not valid: dates are dd/MM/yyyy.")
    return found


def _ordered(request: Request, rows: list[Row]) -> list[Row]:
    """Oldest first, unless the query asks for the newest first."""
    return rows[::-1] if request.asked("ascending", "true").strip().lower() in ("false", "0") else rows


# -- rows ---------------------------------------------------------------------------------------


def _grouped(details: bool, page: Sequence[Row], rows: Sequence[Row], world: World) -> tuple[list[Row], int]:
    """The rows as the service groups them: one outer row, which is what the total counts."""
    if not page:
        return [], 0
    if details:
        report = {"RType": "y", "ReportDate": _date(world.day), "TotalNoSym": str(len(rows))}
        return [{**report, "RepeatedInfo": list(page)}], 1
    name = page[0]["_index"]
    exchange = next(MARKETS[board] for board, one in NAMES.items() if one == name)
    members = [{key: value for key, value in row.items() if key != "_index"} for row in page]
    head = {"IndexCode": name, "IndexName": name, "Exchange": exchange, "TotalSymbolNo": str(len(rows))}
    return [{**head, "IndexComponent": members}], 1


def _steps(one: Instrument, day: date) -> list[tuple[int, int]]:
    """From which price (units) on which step is valid."""
    found: list[tuple[int, int]] = []
    for low in (0, 10_000, 50_000):
        step = tick(one, low, day)
        if not found or found[-1][1] != step:
            found.append((low, step))
    return found


def _name(one: Instrument) -> str:
    if one.board is Board.DERIVATIVES:
        return f"Hợp đồng tương lai chỉ số VN30 {one.symbol}"
    return f"Công ty {one.symbol}"


def _english_name(one: Instrument) -> str:
    return (
        f"VN30 Index Futures {one.symbol}" if one.board is Board.DERIVATIVES else f"{one.symbol} Corporation"
    )


def _date(day: date) -> str:
    return day_text(at(day))


def _number(value: float) -> str:
    return f"{value:.10g}"
