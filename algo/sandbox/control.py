"""The operator's requests: time, faults, halts, orders by hand. ``POST /control/NAME`` with JSON both ways.

Each carries the token of the running sandbox in ``X-Control-Token``. What changes the market or the broker is
written down like any request, so that a sandbox that goes on has it too.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from algo.brokers.paper.statements import NewOrder, Refused, WithdrawOrder
from algo.errors import AlgoError, SettingError
from algo.fastconnect.wire import parse_json
from algo.model import Instrument, OrderType, Side
from algo.sandbox.faults import Asked, Fault, named_odds
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import LIFTED, RateRule
from algo.sandbox.view import view

if TYPE_CHECKING:
    from algo.sandbox.host import Host
    from algo.sandbox.service import Service
    from algo.sandbox.world import World

TOKEN_HEADER = "x-control-token"  # noqa: S105  a header's name
BY_HAND = "IM"
"""The channel of orders from the broker's own app."""
_MOST_STOPS = 1_000_000
_LAST_NUMBER = 99_999_999
"""Requests by hand are numbered downwards from here, far from those of programs."""

Fields = Mapping[str, Any]


class Control:
    """Carries out the operator's requests on one host."""

    def __init__(self, host: Host, service: Service, world: World, token: str) -> None:
        self._host = host
        self._service = service
        self._world = world
        self._token = token.encode()
        self._number = _LAST_NUMBER
        self._lasting: dict[str, Callable[[Fields], Any]] = {
            "halt": self._halt,
            "order": self._order,
            "cancel": self._cancel,
            "hold": self._hold,
            "expire": self._expire,
            "unlock": self._unlock,
            "ids": self._ids,
        }
        self._passing: dict[str, Callable[[Fields], Any]] = {
            "step": self._step,
            "approach": self._approach,
            "clock": self._clock,
            "state": lambda _: self._state(),
            "view": lambda fields: view(self._host, self._service, self._world, _text(fields, "symbol", "")),
            "fault": self._fault,
            "odds": self._odds,
            "clear": self._clear,
            "quota": self._quota,
            "warn": self._warn,
            "drop": self._drop,
        }

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if not hmac.compare_digest(request.header(TOKEN_HEADER).encode("utf-8", "replace"), self._token):
            return _answer(403, {"error": "the control token is missing or wrong"})
        if request.method != "POST":
            return _answer(405, {"error": "control takes POST alone"})
        name = _name(request)
        work = self._lasting.get(name) or self._passing.get(name)
        if work is None:
            return _answer(404, {"error": f"there is no control {name[:40]!r}"})
        try:
            found = work(_fields(request.body))
        except AlgoError as error:
            return _answer(400, {"error": str(error)})
        if name in self._lasting:
            self._host.write_down(request)
            self._host.flush()
        return _answer(200, found if found is not None else self._state())

    def replay(self, request: Request) -> Response:
        """Do again what was written down."""
        self._lasting[_name(request)](_fields(request.body))
        return Response(200)

    # Time

    def _state(self) -> dict[str, Any]:
        self._host.flush()  # the ids below cover all that has happened
        world = self._world
        stop = world.next_stop()
        consumer = next(iter(self._service.identity.consumers))
        return {
            "now": world.now,
            "day": world.day.isoformat(),
            "speed": self._host.pace.speed,
            "width": world.source.width,
            "stop": None,
            "next": None if stop is None else {"ns": stop.ns, "kind": stop.kind},
            "notify_id": self._service.trading.last_id_of(consumer),
            "told": self._service.trading.told(consumer),
            "data_id": self._service.market.sent,
        }

    def _step(self, fields: Fields) -> dict[str, Any]:
        if "until" in fields:
            self._host.advance(_whole(fields, "until", 0, 1 << 62))
            return self._state()
        stop = self._host.step(_whole(fields, "stops", 1, _MOST_STOPS, default=1))
        return self._state() | {"stop": None if stop is None else stop.kind}

    def _approach(self, fields: Fields) -> None:
        self._host.approach(_whole(fields, "to", 0, 1 << 62))

    def _clock(self, fields: Fields) -> None:
        speed = _number(fields, "speed")
        if not 0 <= speed <= 1_000_000:
            raise SettingError("speed is 0 (stepped) to 1,000,000 seconds of the market in one of yours")
        self._host.change_speed(speed)

    # Faults

    def _fault(self, fields: Fields) -> None:
        try:
            fault = Fault(_text(fields, "fault"))
        except ValueError:
            raise SettingError(f"fault is one of {', '.join(Fault)}") from None
        count = _whole(fields, "count", 1, 1_000_000, default=1)
        seconds = _number(fields, "seconds", 1.0)
        self._host.faults.ask(Asked(fault, count, _text(fields, "match", ""), seconds))

    def _odds(self, fields: Fields) -> None:
        self._host.faults.chance(named_odds(fields.items()))

    def _clear(self, fields: Fields) -> None:
        self._host.faults.clear()

    def _quota(self, fields: Fields) -> None:
        rules = fields.get("rules")
        if rules is None:
            self._service.quota.set(LIFTED)
            self._service.data_quota.set(LIFTED)
            return
        try:
            made = [
                RateRule(str(rule["endpoint"]), int(rule["period"]), int(rule["limit"])) for rule in rules
            ]
        except (TypeError, KeyError, ValueError):
            raise SettingError("rules are a list of {endpoint, period, limit}") from None
        self._service.quota.set(made)

    def _warn(self, fields: Fields) -> None:
        for consumer in self._service.identity.consumers:
            self._service.trading.warn(consumer, _text(fields, "text"))

    def _drop(self, fields: Fields) -> None:
        self._host.drop_streams()

    def _expire(self, fields: Fields) -> None:
        self._service.identity.expire()

    def _unlock(self, fields: Fields) -> None:
        for consumer in self._service.identity.consumers:
            self._service.identity.unlock(consumer)

    def _ids(self, fields: Fields) -> None:
        if fields.get("restart"):
            self._service.trading.restart_ids()
        self._service.trading.skip(_whole(fields, "skip", 0, 1_000_000, default=0))

    # The market and the broker's own app

    def _halt(self, fields: Fields) -> None:
        symbol = self._instrument(fields).symbol
        self._world.halt(symbol, bool(fields.get("on", True)))

    def _order(self, fields: Fields) -> dict[str, Any]:
        """An order that a person places in the broker's app."""
        instrument = self._instrument(fields)
        world = self._world
        consumer = next(iter(self._service.identity.consumers.values()))
        customer = world.brokerage.owner(consumer.accounts[0])
        account = customer.accounts.get(instrument.account) if customer is not None else None
        if account is None:
            raise SettingError(f"nobody has an account for {instrument.symbol}")
        side = _text(fields, "side").lower()
        if side not in {"buy", "sell"}:
            raise SettingError("side is buy or sell")
        try:
            order_type = OrderType(_text(fields, "type", "LO").upper())
        except ValueError:
            raise SettingError(f"type is one of {', '.join(OrderType)}") from None
        order = NewOrder(
            account=account,
            request_id=str(self._number),
            instrument=instrument,
            side=Side.BUY if side == "buy" else Side.SELL,
            order_type=order_type,
            price=instrument.units(_number(fields, "price", 0.0)),
            quantity=_whole(fields, "quantity", 1, 1 << 40),
            channel=BY_HAND,
        )
        self._number -= 1
        try:
            world.place(order)
        except Refused as refused:
            raise SettingError(f"{refused.code} {refused}".strip()) from None
        return {"request_id": order.request_id}

    def _cancel(self, fields: Fields) -> None:
        """A cancel that a person asks for in the broker's app."""
        order = self._world.brokerage.order(_text(fields, "order_id"))
        if order is None:
            raise SettingError("there is no such order")
        request = WithdrawOrder(order.account, str(self._number), order.order_id)
        self._number -= 1
        try:
            self._world.withdraw(request)
        except Refused as refused:
            raise SettingError(f"{refused.code} {refused}".strip()) from None

    def _hold(self, fields: Fields) -> None:
        """Shares or contracts that come from elsewhere, as by a transfer; no order explains them."""
        instrument = self._instrument(fields)
        state = self._world.tape.states[instrument.symbol]
        consumer = next(iter(self._service.identity.consumers.values()))
        customer = self._world.brokerage.owner(consumer.accounts[0])
        assert customer is not None
        price = instrument.units(state.last or state.reference)
        customer.portfolio.open(instrument, _whole(fields, "quantity", -(10**9), 10**9), price)

    def _instrument(self, fields: Fields) -> Instrument:
        world = self._world
        symbol = world.code(_text(fields, "symbol").upper())
        found = world.instruments.get(symbol)
        if found is None:
            raise SettingError(f"there is no symbol {symbol[:20]!r}")
        return found


def _name(request: Request) -> str:
    return request.path.strip("/").removeprefix("control/").strip("/")


def _fields(body: bytes) -> Fields:
    try:
        found = parse_json(body or b"{}")
    except (ValueError, RecursionError):
        raise SettingError("the body is no JSON") from None
    if not isinstance(found, dict):
        raise SettingError("the body is no JSON object")
    return found


def _text(fields: Fields, name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or len(value) > 200:
        raise SettingError(f"{name} must be text")
    return value


def _number(fields: Fields, name: str, default: float | None = None) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingError(f"{name} must be a number")
    return float(value)


def _whole(fields: Fields, name: str, least: int, most: int, default: int | None = None) -> int:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise SettingError(f"{name} must be a whole number from {least} to {most}")
    return value


def _answer(status: int, found: object) -> Response:
    return Response(status, to_json(found))


def request(name: str, token: str, **fields: Any) -> Request:
    """The request that a program in this process makes of `Control`."""
    body = json.dumps(fields).encode()
    return Request("POST", f"/control/{name}", (), {TOKEN_HEADER: token}, body)
