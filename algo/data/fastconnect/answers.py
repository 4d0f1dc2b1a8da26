"""Answers of the data service's REST endpoints. Every value may come as text, every name in any case.

Prices are đồng for shares and points for futures and indices; volumes are shares or contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from algo.data.fastconnect.fields import as_date, as_number, as_time
from algo.fastconnect.wire import Answer, parse_json, plain, whole

_FINE = frozenset({"success", "200", "ok"})
_LISTS = ("data", "datalist")


@dataclass(frozen=True)
class Page:
    """One answer: whether it succeeded, the service's words, and its rows.

    `status` is the number of the status, 200 for success, 0 for a refusal without a number. `total` is how
    many rows there are on all pages, None when it is not told.
    """

    status: int
    message: str
    data: Any
    total: int | None

    @property
    def rows(self) -> list[Any]:
        """The list in the answer; empty when it has none."""
        return self.data if isinstance(self.data, list) else []


def read_page(body: bytes) -> Page | None:
    """The answer in `body`; None for what is no such answer, as a gateway's page or cut JSON."""
    try:
        found = parse_json(body)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    fields = {key.lower(): value for key, value in found.items()}
    status = fields.get("status", fields.get("responsecode"))
    if status is None or isinstance(status, bool) or not isinstance(status, str | int | float):
        return None
    data = next((fields[name] for name in _LISTS if fields.get(name) is not None), None)
    fine = str(status).strip().lower() in _FINE
    message = fields.get("message")
    return Page(
        200 if fine else whole(status) or 0,
        plain(message) if isinstance(message, str) else plain(str(status)),
        data,
        whole(fields.get("totalrecord")),
    )


def grouped(rows: list[Any], name: str) -> list[Any]:
    """The rows inside of rows: what `name` (or `name` and "list") holds in each, or the row itself."""
    found: list[Any] = []
    for row in rows:
        inner = (
            next((v for k, v in row.items() if k.lower() in {name, f"{name}list"}), None)
            if isinstance(row, dict)
            else None
        )
        found += inner if isinstance(inner, list) else [row]
    return found


def _number(value: Any) -> Any:
    return as_number(value)


def _count(value: Any) -> Any:
    found = as_number(value)
    return int(found) if found is not None and found.is_integer() else None


def _text(value: Any) -> Any:
    return (
        str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else value
    )


def _day(value: Any) -> Any:
    return as_date(value.strip()) if isinstance(value, str) else value


def _clock(value: Any) -> Any:
    return as_time(value.strip()) if isinstance(value, str) else value


Number = Annotated[float | None, BeforeValidator(_number)]
"""A number, or None for what is none, such as NaN or an empty text."""
Count = Annotated[int | None, BeforeValidator(_count)]
Text = Annotated[str, BeforeValidator(_text)]
Day = Annotated[date, BeforeValidator(_day)]
MaybeDay = Annotated[date | None, BeforeValidator(_day)]
TimeOfDay = Annotated[int, BeforeValidator(_clock)]
"""Nanoseconds since local midnight."""
MaybeTime = Annotated[int | None, BeforeValidator(_clock)]


class AccessToken(Answer):
    """A token, as a JWT."""

    access_token: str = Field(alias="accessToken", repr=False, min_length=1)


class Security(Answer):
    """An instrument that is listed."""

    market: Text = ""
    symbol: Text
    name: Text = Field("", alias="StockName")
    english_name: Text = Field("", alias="StockEnName")


class SecurityDetail(Answer):
    """What is known of an instrument. `type` is ST, CW, FU, EF, BO, OF or MF."""

    symbol: Text
    isin: Text = ""
    name: Text = Field("", alias="SymbolName")
    english_name: Text = Field("", alias="SymbolEngName")
    type: Text = Field("", alias="SecType")
    market: Text = Field("", alias="MarketId")
    exchange: Text = ""
    issuer: Text = ""
    lot_size: Count = Field(None, alias="LotSize")
    issue_date: MaybeDay = Field(None, alias="IssueDate")
    maturity_date: MaybeDay = Field(None, alias="MaturityDate")
    first_trading_date: MaybeDay = Field(None, alias="FirstTradingDate")
    last_trading_date: MaybeDay = Field(None, alias="LastTradingDate")
    multiplier: Number = Field(None, alias="ContractMultiplier")
    settlement: Text = Field("", alias="SettlMethod")
    underlying: Text = ""
    put_or_call: Text = Field("", alias="PutOrCall")
    exercise_price: Number = Field(None, alias="ExercisePrice")
    exercise_style: Text = Field("", alias="ExerciseStyle")
    exercise_ratio: Text = Field("", alias="ExcerciseRatio")
    listed: Count = Field(None, alias="ListedShare")


class IndexMember(Answer):
    """A share in an index."""

    isin: Text = ""
    symbol: Text = Field(alias="StockSymbol")


class Index(Answer):
    """An index of an exchange."""

    code: Text = Field(alias="IndexCode", min_length=1)
    name: Text = Field("", alias="IndexName")
    exchange: Text = ""


class IndexDay(Answer):
    """A day of an index, in points, and what was traded and how prices went among its members."""

    index: Text = Field(alias="IndexId", min_length=1)
    name: Text = Field("", alias="IndexName")
    day: Day = Field(alias="TradingDate")
    time: MaybeTime = None
    type: Text = Field("", alias="TypeIndex")
    session: Text = Field("", alias="TradingSession")
    close: Number = Field(None, alias="IndexValue")
    change: Number = None
    change_percent: Number = Field(None, alias="RatioChange")
    trades: Count = Field(None, alias="TotalTrade")
    volume: Count = Field(None, alias="TotalMatchVol")
    value: Number = Field(None, alias="TotalMatchVal")
    deal_volume: Count = Field(None, alias="TotalDealVol")
    deal_value: Number = Field(None, alias="TotalDealVal")
    total_volume: Count = Field(None, alias="TotalVol")
    total_value: Number = Field(None, alias="TotalVal")
    advances: Count = None
    no_changes: Count = Field(None, alias="NoChanges")
    declines: Count = None
    ceilings: Count = None
    floors: Count = None


class DailyBar(Answer):
    """A day of a symbol."""

    symbol: Text
    market: Text = ""
    day: Day = Field(alias="TradingDate")
    open: Number = None
    high: Number = None
    low: Number = None
    close: Number = None
    volume: Count = None
    value: Number = None


class MinuteBar(Answer):
    """A minute of a symbol; `time` is when its first trade was made, in nanoseconds since local midnight."""

    symbol: Text
    day: Day = Field(alias="TradingDate")
    time: TimeOfDay
    open: Number = None
    high: Number = None
    low: Number = None
    close: Number = None
    volume: Count = None
    value: Number = None


class DayPrice(Answer):
    """A day of a symbol with its limits, its totals, and what foreigners did."""

    symbol: Text
    day: Day = Field(alias="TradingDate")
    ceiling: Number = Field(None, alias="CeilingPrice")
    floor: Number = Field(None, alias="FloorPrice")
    reference: Number = Field(None, alias="RefPrice")
    open: Number = Field(None, alias="OpenPrice")
    high: Number = Field(None, alias="HighestPrice")
    low: Number = Field(None, alias="LowestPrice")
    close: Number = Field(None, alias="ClosePrice")
    average: Number = Field(None, alias="AveragePrice")
    adjusted_close: Number = Field(None, alias="ClosePriceAdjusted")
    change: Number = Field(None, alias="PriceChange")
    change_percent: Number = Field(None, alias="PerPriceChange")
    volume: Count = Field(None, alias="TotalMatchVol")
    value: Number = Field(None, alias="TotalMatchVal")
    deal_volume: Count = Field(None, alias="TotalDealVol")
    deal_value: Number = Field(None, alias="TotalDealVal")
    foreign_bought: Count = Field(None, alias="ForeignBuyVolTotal")
    foreign_sold: Count = Field(None, alias="ForeignSellVolTotal")
    foreign_room: Count = Field(None, alias="ForeignCurrentRoom")
    total_volume: Count = Field(None, alias="TotalTradedVol")
    total_value: Number = Field(None, alias="TotalTradedValue")
