"""``algo order``: place, amend and cancel by hand, after a look at what is about to be sent."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from algo.cli import broker, options
from algo.cli.broker import AsJson, CredentialsFile

if TYPE_CHECKING:
    from algo.brokers.base import BrokerOrder
    from algo.brokers.fctrading.connection import Connection
    from algo.brokers.fctrading.credentials import Credentials
    from algo.brokers.fctrading.outcome import Outcome

app = typer.Typer(no_args_is_help=True, help="Place, amend and cancel orders by hand.")

Yes = Annotated[bool, typer.Option("--yes", help="Send without asking.")]
Send = Callable[["Connection", str], Awaitable["Outcome"]]


@app.command()
def place(
    side: Annotated[str, typer.Argument(help="buy or sell.")],
    quantity: Annotated[int, typer.Argument(help="Shares or contracts.")],
    symbol: Annotated[str, typer.Argument(help="A share such as FPT, or a contract such as VN30F2612.")],
    price: Annotated[float | None, typer.Option(help="Limit in đồng, or in index points.")] = None,
    type_: Annotated[str, typer.Option("--type", help="LO, ATO, ATC, MTL, MOK, MAK, MP or PLO.")] = "LO",
    board: options.Board = None,
    stop: Annotated[
        str | None,
        typer.Option(help="Derivatives: D down, U up, V and E trailing, O with a limit, B bull-bear."),
    ] = None,
    stop_price: Annotated[float, typer.Option(help="The trigger price.")] = 0.0,
    stop_step: Annotated[float, typer.Option(help="Distance of a trailing stop.")] = 0.0,
    profit_step: Annotated[float, typer.Option(help="Bull-bear: distance of the target.")] = 0.0,
    loss_step: Annotated[float, typer.Option(help="Bull-bear: distance of the stop.")] = 0.0,
    yes: Yes = False,
    credentials: CredentialsFile = None,
    json: AsJson = False,
) -> None:
    """Place an order. Shares go to your share account, contracts to the derivatives one.

    That the broker received it is not yet that it stands: look with `algo orders`.

    \b
    Examples:
      algo order place buy 100 FPT --price 98500
      algo order place sell 2 VN30F2612 --type ATC --yes
      algo order place sell 1 VN30F2612 --price 1395 --stop D --stop-price 1396
    """
    from datetime import datetime

    from algo.brokers.fctrading import translate
    from algo.clock import HO_CHI_MINH
    from algo.errors import SettingError
    from algo.market import instrument_of, is_alias, lot_refusal, tick_refusal
    from algo.model import OrderType, PlaceOrder, Side, Trigger, TriggerKind

    instrument = instrument_of(symbol, _board(board))
    if is_alias(instrument.symbol):
        raise SettingError(f"{instrument.symbol} is an alias: name the contract, such as VN30F2612")
    word = side.strip().lower()
    if word not in ("buy", "sell"):
        raise SettingError(f"{side!r} is no side: give buy or sell")
    kind = translate.type_of(type_)
    if kind is None:
        raise SettingError(f"{type_!r} is no order type: give LO, ATO, ATC, MTL, MOK, MAK, MP or PLO")
    if (kind is OrderType.LO) != (price is not None):
        raise SettingError(
            "a limit order needs --price" if price is None else f"{kind} orders have no --price"
        )
    trigger = None
    if stop is not None:
        letter = translate.stop_of(stop)
        if letter is None:
            raise SettingError(f"{stop!r} is no stop: give D, U, V, E, O or B")
        steps = [_units(instrument, value) for value in (stop_price, stop_step, profit_step, loss_step)]
        trigger = Trigger(TriggerKind(letter), *steps)
    today = datetime.now(HO_CHI_MINH).date()
    units = _units(instrument, price) if price is not None else 0
    refusal = lot_refusal(instrument, quantity, today)
    if units and refusal is None:
        refusal = tick_refusal(instrument, units, today)
    if refusal is not None:
        raise SettingError(refusal)
    who = broker.loaded(credentials)
    with _sendable():
        number = translate.account_of(instrument, who.accounts)
    request_id = _fresh_id()
    command = PlaceOrder(
        request_id, f"{today:%Y%m%d}-{request_id}", "", instrument, Side[word.upper()], kind, units, quantity,
        trigger,
    )  # fmt: skip
    with _sendable():
        translate.new_order(command, number, "", who.device_id)
    cost = f", {instrument.notional(units, quantity):,} đ" if units else ""
    at = f" at {price:,g}" if price is not None else ""
    when = f", stop {trigger.kind.value}" if trigger is not None else ""
    text = f"{word} {quantity:,} {instrument.symbol} {kind}{at}{when}{cost}, account {number}"
    _confirm(text, yes)
    _sent(
        who,
        lambda connection, code: connection.api.new_order(
            translate.new_order(command, number, code, who.device_id)
        ),
        request_id,
        json,
    )


@app.command()
def amend(
    order: Annotated[str, typer.Argument(help="The broker's order id, as `algo orders` shows it.")],
    price: Annotated[float | None, typer.Option(help="The new limit.")] = None,
    quantity: Annotated[int | None, typer.Option(help="The new total quantity.")] = None,
    yes: Yes = False,
    credentials: CredentialsFile = None,
    json: AsJson = False,
) -> None:
    """Change the price or the quantity of an order that stands.

    \b
    Example:
      algo order amend 26061100012345 --price 98400
    """
    from algo.brokers.fctrading import translate
    from algo.errors import SettingError
    from algo.model import AmendOrder

    if price is None and quantity is None:
        raise SettingError("say what to change: --price, --quantity or both")
    who = broker.loaded(credentials)
    found, number = _standing(who, order)
    known = _as_standing(found)
    request_id = _fresh_id()
    units = None if price is None else _units(known.instrument, price)
    command = AmendOrder(request_id, "", "", known.instrument, units, quantity)
    with _sendable():
        translate.modify_order(command, known, number, "", who.device_id)
    to = [f"price {price:,g}"] if price is not None else []
    to += [f"quantity {quantity:,}"] if quantity is not None else []
    _confirm(f"{_described(found)}: change to {' and '.join(to)}", yes)
    _sent(
        who,
        lambda connection, code: connection.api.modify_order(
            translate.modify_order(command, known, number, code, who.device_id)
        ),
        request_id,
        json,
    )


@app.command()
def cancel(
    order: Annotated[str, typer.Argument(help="The broker's order id, as `algo orders` shows it.")],
    yes: Yes = False,
    credentials: CredentialsFile = None,
    json: AsJson = False,
) -> None:
    """Take back what is left of an order. It may still be filled until `algo orders` shows it cancelled.

    \b
    Example:
      algo order cancel 26061100012345 --yes
    """
    from algo.brokers.fctrading import translate
    from algo.model import CancelOrder

    who = broker.loaded(credentials)
    found, number = _standing(who, order)
    known = _as_standing(found)
    request_id = _fresh_id()
    command = CancelOrder(request_id, "", "", known.instrument)
    _confirm(f"cancel {_described(found)}", yes)
    _sent(
        who,
        lambda connection, code: connection.api.cancel_order(
            translate.cancel_order(command, known, number, code, who.device_id)
        ),
        request_id,
        json,
    )


@contextlib.contextmanager
def _sendable() -> Iterator[None]:
    """What cannot be sent is the person's to mend."""
    from algo.errors import RequestNotSent, SettingError

    try:
        yield
    except RequestNotSent as error:
        raise SettingError(str(error).removeprefix("not sent: ")) from None


def _fresh_id() -> str:
    """A request id for an order by hand: shorter than a strategy's, so that neither takes the other's."""
    return str(secrets.randbelow(9_000_000) + 1_000_000)


def _board(name: str | None) -> Any:
    from algo.errors import SettingError
    from algo.model import Board

    try:
        return None if name is None else Board(name.strip().upper())
    except ValueError:
        raise SettingError(f"there is no board {name!r}: give {', '.join(Board)}") from None


def _units(instrument: Any, price: float) -> int:
    from algo.errors import SettingError

    if not 0 <= price < 1e12:
        raise SettingError(f"{price:g} is no price")
    units: int = instrument.units(price)
    if abs(price * instrument.scale - units) > 1e-6:
        raise SettingError(f"{price:.10g} is off the tick of {instrument.symbol}")
    return units


def _standing(who: Credentials, order_id: str) -> tuple[BrokerOrder, str]:
    """The order that a person named, and the number of its account."""
    from algo.brokers.fctrading import snapshot
    from algo.errors import SettingError

    async def look(connection: Connection) -> tuple[BrokerOrder, str] | None:
        for kind, number in broker.chosen(who, None):
            for one in await snapshot.orders_of(connection.api, kind, number, lambda _event: ""):
                if one.broker_id == order_id.strip():
                    return one, number
        return None

    found = broker.connected(who, look)
    if found is None:
        raise SettingError(f"there is no order {order_id} today: see `algo orders`")
    status = found[0].status
    if status is not None and status.terminal:
        raise SettingError(f"order {order_id} is {status} already")
    return found


def _as_standing(found: BrokerOrder) -> Any:
    from algo.brokers.fctrading.standing import Standing
    from algo.clock import local_date
    from algo.errors import SettingError
    from algo.market import instrument_of
    from algo.model import Account, Board

    if found.order_type is None:
        raise SettingError(f"order {found.broker_id} is of a type that is not known: use the broker's app")
    board = Board.DERIVATIVES if found.account is Account.DERIVATIVES else None
    instrument = instrument_of(found.symbol, board)
    known = Standing(
        f"{local_date(found.created):%Y%m%d}-0",
        instrument,
        found.side,
        found.order_type,
        found.price,
        found.quantity,
        conditional=False,
    )
    known.broker_id = found.broker_id
    return known


def _described(found: BrokerOrder) -> str:
    left = found.quantity - found.filled
    return (
        f"order {found.broker_id}, {found.side.name.lower()} {found.quantity:,} {found.symbol}, {left:,} left"
    )


def _confirm(text: str, yes: bool) -> None:
    from algo.errors import SettingError

    if yes:
        return
    if not broker.at_terminal():
        raise SettingError(f"{text}: not sent; give --yes to send without being asked")
    typer.confirm(f"{text}. Send?", abort=True, err=True)


def _sent(who: Credentials, send: Send, request_id: str, json: bool) -> None:
    """Send once and say what became of it. Exit code 1 unless the broker received it."""
    from algo.brokers.fctrading.outcome import Fate

    async def go(connection: Connection) -> Outcome:
        return await send(connection, connection.session.auth.order_code())

    outcome = broker.connected(who, go, code=True)
    if json:
        broker.print_json(
            {
                "request_id": request_id,
                "outcome": outcome.fate.value,
                "text": outcome.text,
                "code": outcome.code,
            }
        )
    else:
        told = {
            Fate.RECEIVED: f"The broker received request {request_id}. Whether it stands: algo orders",
            Fate.REFUSED: f"The broker refused: {outcome.text}",
            Fate.UNKNOWN: f"It may have arrived: look with `algo orders`, do not send again. {outcome.text}",
            Fate.NOT_SENT: f"Nothing was sent: {outcome.text}",
        }[outcome.fate]
        typer.echo(told, err=outcome.fate is not Fate.RECEIVED)
    if outcome.fate is not Fate.RECEIVED:
        raise typer.Exit(1)
