"""Public messages in the words of the data hub: the argument of `Broadcast`, key for key as it is sent.

Sources: the samples of the specification and of public captures. Prices and volumes print with ``.0``, except
where a capture shows whole numbers (Highest and Lowest of X-TRADE, counts of MI, all of OL). Every time is in
whole seconds. HOSE shows 3 levels, the others 10; levels that are not there are 0.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from algo.clock import HOUR, MINUTE, SECOND, local_date, time_of_day
from algo.data.fastconnect.channels import Channel
from algo.market import Session
from algo.model import Board, Level
from algo.sandbox.indices import IndexState
from algo.sandbox.source import Candle
from algo.sandbox.tape import Public, Snapshot, Told, What

DEPTH = 10
MARKETS: Mapping[Board, str] = {
    Board.HOSE: "HOSE",
    Board.HNX: "HNX",
    Board.UPCOM: "UPCOM",
    Board.DERIVATIVES: "DER",
}
"""What the data service calls the boards."""
SHOWN = {Board.HOSE: 3}
"""How many levels a board shows; the others `DEPTH`."""
ROOM = 490_000_000
"""Shares that foreigners may hold of every company, all still free: no foreigners trade in the sandbox."""

_SIDES = {1: "BU", -1: "SD", 0: ""}
_CHANNELS: Mapping[What, tuple[Channel, ...]] = {
    What.STATUS: (Channel.STATUS,),
    What.LIMITS: (Channel.STATUS, Channel.TRADE, Channel.SNAPSHOT, Channel.ROOM, Channel.ODD_LOT),
    What.QUOTE: (Channel.QUOTE, Channel.SNAPSHOT),
    What.TRADE: (Channel.TRADE, Channel.SNAPSHOT),
    What.ESTIMATE: (Channel.TRADE, Channel.SNAPSHOT),
}
_SHARES_ONLY = frozenset({Channel.ROOM, Channel.ODD_LOT})


def channels(public: Public) -> tuple[Channel, ...]:
    """The channels that a message is told on."""
    if isinstance(public, Told):
        found = _CHANNELS[public.what]
        if public.state.board is Board.DERIVATIVES:
            return tuple(one for one in found if one not in _SHARES_ONLY)
        return found
    return (Channel.BAR,) if isinstance(public, Candle) else (Channel.INDEX,)


def subject(public: Public) -> str:
    """The symbol or index that a message is about."""
    if isinstance(public, Told):
        return public.state.symbol
    return public.symbol if isinstance(public, Candle) else public.name


def broadcast(channel: Channel, public: Public) -> str:
    """The message as the text that the hub sends on `channel`."""
    if isinstance(public, Told):
        content = _OF_STATE[channel](public.state)
    elif isinstance(public, Candle):
        content = _bar(public)
    else:
        content = _index(public)
    return f'{{"DataType":"{channel}","Content":{json.dumps(content)}}}'


def wire_session(session: str) -> str:
    """The session as the feed writes it. PLO is none of its documented codes, and is sent all the same."""
    return "H" if session == Session.HALT else session


# One writer a channel; each gives the text of `Content`


def _status(state: Snapshot) -> str:
    market = MARKETS[state.board]
    return (
        f'{{"RType":"F","MarketId":"{market}",{_when(state.ns)},"Symbol":"{state.symbol}",'
        f'"TradingSession":"{wire_session(state.session)}","TradingStatus":"{state.status}",'
        f'"Exchange":"{market}"}}'
    )


def _quote(state: Snapshot) -> str:
    return (
        f'{{{_when(state.ns)},"Exchange":"{MARKETS[state.board]}","Symbol":"{state.symbol}",'
        f'"RType":"X-QUOTE",{_levels("Ask", state)},{_levels("Bid", state)},'
        f'"TradingSession":"{wire_session(state.session)}"}}'
    )


def _trade(state: Snapshot) -> str:
    average = _real(round(state.average, 4)) if state.volume else '"NaN"'
    return (
        f'{{"RType":"X-TRADE",{_when(state.ns)},{_limits(state)},"AvgPrice":{average},{_last(state)},'
        f'"Highest":{_short(state.high)},"Lowest":{_short(state.low)},"Side":"{_SIDES[state.side]}"}}'
    ).replace(_BOOK, "")


def _snapshot(state: Snapshot) -> str:
    average = _real(round(state.average, 4)) if state.volume else "0.0"
    prices = ",".join(
        f'"{name}":{_real(value)}'
        for name, value in zip(
            ("Open", "High", "Low", "Close"), (state.open, state.high, state.low, state.last), strict=True
        )
    )
    return (
        f'{{"RType":"X",{_when(state.ns)},{_limits(state)},{prices},"AvgPrice":{average},{_last(state)}}}'
    ).replace(_BOOK, f"{_levels('Bid', state)},{_levels('Ask', state)},")


def _room(state: Snapshot) -> str:
    market = MARKETS[state.board]
    return (
        f'{{"RType":"R",{_when(state.ns)},"Isin":"{state.symbol}","Symbol":"{state.symbol}",'
        f'"TotalRoom":{ROOM}.0,"CurrentRoom":{ROOM}.0,"BuyVol":0.0,"SellVol":0.0,"BuyVal":0.0,"SellVal":0.0,'
        f'"MarketId":"{market}","Exchange":"{market}"}}'
    )


def _odd_lots(state: Snapshot) -> str:
    levels = ",".join(
        f'"{side}{what}{n}":0' for side in ("Bid", "Ask") for what in ("Price", "Vol") for n in range(1, 4)
    )
    return (
        f'{{"RType":"OL",{_when(state.ns)},"StockNo":0,"Symbol":"{state.symbol}",'
        f'"Ceiling":{_short(state.ceiling)},"Floor":{_short(state.floor)},'
        f'"RefPrice":{_short(state.reference)},"LastPrice":0,"LastVol":0,{levels},'
        f'"Exchange":"{MARKETS[state.board]}","TradingSession":"{wire_session(state.session)}",'
        f'"TradingStatus":"{state.status}","StockType":"Stock"}}'
    )


def _bar(candle: Candle) -> str:
    return (
        f'{{"RType":"B",{_when(candle.ns)},"Symbol":"{candle.symbol}","Open":{_real(candle.open)},'
        f'"High":{_real(candle.high)},"Low":{_real(candle.low)},"Close":{_real(candle.close)},'
        f'"Volume":{candle.volume}.0,"Value":{candle.value}.0}}'
    )


def _index(state: IndexState) -> str:
    change = round(state.value - state.prior, 2)
    return (
        f'{{"IndexId":"{state.name}","IndexValEst":{_real(state.estimate)},'
        f'"IndexValue":{_real(state.value)},"PriorIndexValue":{_real(state.prior)},{_when(state.ns)},'
        f'"TotalTrade":0.0,"TotalQtty":{state.volume}.0,"TotalValue":{state.turnover}.0,'
        f'"IndexName":"{state.name}","Advances":{state.advances},"NoChanges":{state.unchanged},'
        f'"Declines":{state.declines},"Ceilings":{state.ceilings},"Floors":{state.floors},'
        f'"Change":{_real(change)},"RatioChange":{_real(ratio(change, state.prior))},'
        f'"Exchange":"{MARKETS[state.board]}","AllQty":{state.volume}.0,"AllValue":{state.turnover}.0,'
        f'"IndexType":"Main","TradingSession":"{wire_session(state.session)}","MarketId":null,"RType":"MI"}}'
    )


_OF_STATE: Mapping[Channel, Callable[[Snapshot], str]] = {
    Channel.STATUS: _status,
    Channel.QUOTE: _quote,
    Channel.TRADE: _trade,
    Channel.SNAPSHOT: _snapshot,
    Channel.ROOM: _room,
    Channel.ODD_LOT: _odd_lots,
}

# Parts


_BOOK = '"@book":0,'  # where X has its book and X-TRADE has nothing


def _limits(state: Snapshot) -> str:
    return (
        f'"Isin":"{state.symbol}","Symbol":"{state.symbol}","Ceiling":{_real(state.ceiling)},'
        f'"Floor":{_real(state.floor)},"RefPrice":{_real(state.reference)}'
    )


def _last(state: Snapshot) -> str:
    market, change = MARKETS[state.board], round(state.change, 4)
    return (
        f'"PriorVal":{_real(state.prior)},"LastPrice":{_real(state.last)},"LastVol":{state.quantity}.0,'
        f'"TotalVal":{state.value}.0,"TotalVol":{state.volume}.0,{_BOOK}"MarketId":"{market}",'
        f'"Exchange":"{market}","TradingSession":"{wire_session(state.session)}",'
        f'"TradingStatus":"{state.status}","Change":{_real(change)},'
        f'"RatioChange":{_real(ratio(change, state.reference))},"EstMatchedPrice":{_real(state.estimate)}'
    )


def _levels(side: str, state: Snapshot) -> str:
    shown = SHOWN.get(state.board, DEPTH)
    levels: Sequence[Level] = (state.bids if side == "Bid" else state.asks)[:shown]
    blank = DEPTH - len(levels)
    prices = [_real(price) for price, _ in levels] + ["0.0"] * blank
    sizes = [f"{quantity}.0" for _, quantity in levels] + ["0.0"] * blank
    return ",".join(
        f'"{side}{what}{n}":{value}'
        for what, values in (("Price", prices), ("Vol", sizes))
        for n, value in enumerate(values, 1)
    )


def _when(ns: int) -> str:
    return f'"TradingDate":"{day_text(ns)}","Time":"{time_text(ns)}"'


def day_text(ns: int) -> str:
    """The local date of a moment, as the service writes it."""
    return local_date(ns).strftime("%d/%m/%Y")


def time_text(ns: int) -> str:
    """The local time of a moment, to the second."""
    clock = time_of_day(ns)
    return f"{clock // HOUR:02d}:{clock // MINUTE % 60:02d}:{clock // SECOND % 60:02d}"


def ratio(change: float, base: float) -> float:
    """`change` in percent of `base`, to two digits; 0.0 without a base."""
    return round(change / base * 100, 2) if base else 0.0


def _real(value: float) -> str:
    return repr(float(value))


def _short(value: float) -> str:
    return f"{value:.10g}"


def messages(public: Public) -> Iterator[tuple[Channel, str]]:
    """Every channel that the message is told on, with its text."""
    for channel in channels(public):
        yield channel, broadcast(channel, public)
