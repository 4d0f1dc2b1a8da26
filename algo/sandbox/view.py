"""What the page shows, as one JSON document: market, one symbol's book, orders, accounts, streams, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from algo.clock import to_datetime
from algo.model import Account, Level

if TYPE_CHECKING:
    from algo.brokers.paper.customers import Customer
    from algo.brokers.paper.statements import OrderRecord
    from algo.sandbox.host import Host
    from algo.sandbox.service import Service
    from algo.sandbox.tape import Snapshot
    from algo.sandbox.world import World

_MOST_ORDERS = 200
_MOST_SYMBOLS = 500
_MOST_CANDLES = 400


def view(host: Host, service: Service, world: World, symbol: str) -> dict[str, Any]:
    """Everything that the page shows; `symbol` is the one whose book it shows, '' for the first."""
    tape = world.tape
    stop = world.next_stop()
    chosen = world.code(symbol) if symbol else ""
    if chosen not in tape.states:
        chosen = next(iter(tape.states), "")
    return {
        "now": world.now,
        "time": f"{to_datetime(world.now):%H:%M:%S}",
        "day": world.day.isoformat(),
        "speed": host.pace.speed,
        "next": None
        if stop is None
        else {"kind": stop.kind, "time": f"{to_datetime(stop.ns):%d/%m %H:%M:%S}"},
        "sessions": {str(board): session for board, session in tape.sessions.items()},
        "symbols": [_line(state) for state in list(tape.states.values())[:_MOST_SYMBOLS]],
        "symbol": _book(world, chosen) if chosen else None,
        "orders": _orders(world),
        "accounts": [_account(customer) for customer in world.brokerage.customers],
        "streams": host.streams,
        "codes": [
            {"consumer": shown.consumer_id[:8], "code": shown.code}
            for shown in reversed(service.identity.shown)
        ][:5],
        "notify_id": service.trading.last_id,
        "faults": {
            "asked": [
                {"fault": str(one.fault), "count": one.count, "match": one.match} for one in host.faults.asked
            ],
            "odds": {str(fault): chance for fault, chance in host.faults.odds.items()},
            "happened": {str(fault): count for fault, count in host.faults.happened.items() if count},
        },
    }


def _line(state: Snapshot) -> dict[str, Any]:
    return {
        "symbol": state.symbol,
        "board": str(state.board),
        "status": state.status,
        "last": state.last,
        "reference": state.reference,
        "change": state.change,
        "volume": state.volume,
    }


def _book(world: World, symbol: str) -> dict[str, Any]:
    tape = world.tape
    state = tape.states[symbol]
    candles = tape.candles.get(symbol, [])[-_MOST_CANDLES:]
    return _line(state) | {
        "session": state.session,
        "floor": state.floor,
        "ceiling": state.ceiling,
        "open": state.open,
        "high": state.high,
        "low": state.low,
        "average": state.average,
        "value": state.value,
        "estimate": state.estimate,
        "bids": _levels(state.bids),
        "asks": _levels(state.asks),
        "trades": [
            {
                "time": f"{to_datetime(one.ns):%H:%M:%S}",
                "price": one.last,
                "quantity": one.quantity,
                "side": one.side,
            }
            for one in reversed(tape.prints[symbol])
        ],
        "candles": [
            [candle.start // 10**9, candle.open, candle.high, candle.low, candle.close, candle.volume]
            for candle in candles
        ],
    }


def _levels(levels: tuple[Level, ...]) -> list[list[float]]:
    return [[level.price, level.quantity] for level in levels[:10]]


def _orders(world: World) -> list[dict[str, Any]]:
    brokerage = world.brokerage
    records = [
        record
        for customer in brokerage.customers
        for account in customer.accounts.values()
        for record in brokerage.orders(account)
    ]
    records.sort(key=lambda record: record.modified, reverse=True)
    return [_order(record) for record in records[:_MOST_ORDERS]]


def _order(record: OrderRecord) -> dict[str, Any]:
    instrument = record.instrument
    average = record.filled_value / record.filled / instrument.scale if record.filled else 0.0
    return {
        "id": record.order_id,
        "time": f"{to_datetime(record.created):%H:%M:%S}",
        "symbol": instrument.symbol,
        "side": "buy" if record.side > 0 else "sell",
        "type": str(record.order_type),
        "price": instrument.price(record.price),
        "quantity": record.quantity,
        "filled": record.filled,
        "average": average,
        "stage": str(record.stage),
        "over": record.stage.over,
        "reason": record.reason,
        "channel": record.channel,
        "account": record.account,
    }


def _account(customer: Customer) -> dict[str, Any]:
    portfolio = customer.portfolio
    return {
        "name": customer.name,
        "numbers": {str(account): number for account, number in customer.accounts.items()},
        "cash": {str(account): portfolio.cash[account] for account in Account if account in portfolio.cash},
        "power": {str(account): portfolio.buying_power(account) for account in customer.accounts},
        "positions": [
            {
                "symbol": position.instrument.symbol,
                "quantity": position.quantity,
                "average": position.average_price or 0.0,
                "profit": position.open_profit,
            }
            for position in portfolio.positions.values()
            if position.quantity
        ],
    }
