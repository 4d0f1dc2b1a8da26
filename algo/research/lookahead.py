"""Does a strategy know the future? It is run on the first n bars and on all of them, for several n.

Up to bar n both runs have seen the same market, so they must have decided the same, and every value
of every indicator must be the same to the bit. A strategy can also carry the future with it, in a
table that it read by itself: after each short run, what can be reached from the strategy is searched
for the prices that came later. `reach.watching` adds files of the data that it opens by itself.

What this cannot find: knowledge that was worked into something else before, such as a model that was
trained on the same days and is loaded from a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algo.backtest import Run, Settings, prepare
from algo.clock import to_datetime
from algo.errors import DataError, SettingError
from algo.history import Indicator
from algo.research.reach import held_arrays

if TYPE_CHECKING:
    from algo.data.series import Series
    from algo.strategy import Strategy

CUTS = 8
_RUN = 20  # moves of prices in a row that must be met to say that the future is held


@dataclass(frozen=True, slots=True)
class Difference:
    """One sign of knowledge that a strategy may not have.

    `kind` is "decision" (it decided otherwise once it had later bars), "indicator" (a past value
    changed), "future" (it holds prices that come after its last bar), or "chance" (two runs on the
    same bars differ). `bars` is how many moments the short
    run had; `ns` the market time of the first difference (0 where there is none). `before` is what
    the short run had there, `after` what the run on all bars had.
    """

    kind: str
    bars: int
    ns: int
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        when = f" at {to_datetime(self.ns):%Y-%m-%d %H:%M}" if self.ns else ""
        return f"{self.what}{when}: on the first {self.bars:,} bars {self.before}, on all {self.after}"


@dataclass
class _Record:
    """What one run decided and computed.

    `decisions` are (market time, text). `made` has how many there were after each moment: what the
    market does after a moment may have the moment's own time, as the close has that of its last bar.
    """

    decisions: list[tuple[int, str]] = field(default_factory=list)
    made: dict[int, int] = field(default_factory=dict)
    indicators: dict[str, tuple[Indicator, NDArray[np.int64]]] = field(
        default_factory=dict
    )  # with bars' times

    def until(self, moments: int) -> list[tuple[int, str]]:
        """The decisions of the first `moments` moments."""
        return self.decisions[: self.made.get(moments, len(self.decisions))]


def look_ahead(
    strategy: type[Strategy],
    series: Mapping[str, Series],
    *,
    parameters: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    cuts: int = CUTS,
    on_progress: Callable[[int], None] | None = None,
) -> list[Difference]:
    """The signs of look-ahead in `strategy` on `series`, the earliest of each kind; empty without any.

    `cuts` short runs are made, over evenly spaced shares of the bars, then one over all of them;
    `on_progress` hears how many runs are done of ``cuts + 2``. The same input gives the same answer.

    Raises SettingError when there are too few bars for the cuts, what a backtest raises for wrong
    input, and StrategyError when the strategy itself raises and no difference shows before that.
    """
    if cuts < 1:
        raise SettingError(f"cuts is at least 1, not {cuts}")
    settings = settings if settings is not None else Settings()
    moments = _moments(series, cuts)
    done = iter(range(1, cuts + 3))

    def ran(part: Mapping[str, Series]) -> tuple[_Record, Run]:
        run = prepare(strategy, part, settings, parameters)
        record = _recorded(run)
        if on_progress is not None:
            on_progress(next(done))
        return record, run

    found: list[Difference] = []
    shorts: list[tuple[int, _Record]] = []
    # Short runs first: what a strategy kept of an earlier run is then still the past.
    for bars, ns in moments:
        part = {symbol: one.take(slice(0, _until(one, ns))) for symbol, one in series.items()}
        record, run = ran(part)
        if not shorts:
            again, _ = ran(part)
            found += _compared("chance", bars, record, again)
        found += _futures(bars, run.strategy, series, ns)
        shorts.append((bars, record))
    whole, run = ran(series)
    for bars, record in shorts:
        found += _compared("decision", bars, record, whole)
        found += _changed(bars, record, whole)
    if any(one.kind == "chance" for one in found):  # then other decisions tell nothing
        found = [one for one in found if one.kind != "decision"]
    if not found and run.simulation.failure is not None:
        raise run.simulation.failure
    return _first(found)


def _moments(series: Mapping[str, Series], cuts: int) -> list[tuple[int, int]]:
    """(moments, market time) of each cut: evenly spaced, where every symbol has a bar already."""
    if not series or any(not len(one) for one in series.values()):
        raise DataError("there are no bars to check the strategy on")
    times = np.unique(np.concatenate([one.time for one in series.values()]))
    begin = int(np.searchsorted(times, max(int(one.time[0]) for one in series.values()))) + 1
    spread = len(times) - begin
    if spread < cuts:
        raise SettingError(
            f"{len(times):,} bars are too few for {cuts} cuts: give more bars, or fewer --cuts"
        )
    counts = [begin + spread * k // (cuts + 1) for k in range(1, cuts + 1)]
    return [(count, int(times[count - 1])) for count in counts]


def _until(one: Series, ns: int) -> int:
    return int(np.searchsorted(one.time, ns, "right"))


def _recorded(run: Run) -> _Record:
    """Execute the run and note every action, when it was asked for, and every indicator."""
    record = _Record()
    (desk,) = run.engine.desks.values()
    place, amend, cancel, indicator = desk.place, desk.amend, desk.cancel, desk.indicator

    def note(text: str) -> None:
        record.decisions.append((run.engine.now, text))

    def placed(*arguments: Any) -> Any:
        note(_order_text(*arguments))
        return place(*arguments)

    def amended(order: Any, price: float | None, quantity: int | None) -> None:
        note(f"amend {order.symbol} to price {price}, quantity {quantity}")
        amend(order, price, quantity)

    def cancelled(order: Any) -> None:
        note(f"cancel {order.symbol}")
        cancel(order)

    def made(function: Callable[..., Any], symbol: str, arguments: tuple[Any, ...], width: str | None) -> Any:
        value = indicator(function, symbol, arguments, width)
        for one in value if isinstance(value, tuple) else (value,):
            key = f"{one.name} of {symbol}" + (f" {width}" if width else "")
            while key in record.indicators:
                key += "'"
            record.indicators[key] = (one, run.engine.history(symbol, width).column("time"))
        return value

    desk.__dict__.update(place=placed, amend=amended, cancel=cancelled, indicator=made)
    # The last callback comes earlier in a short run, which is no knowledge of the future.
    run.strategy.__dict__["on_stop"] = lambda: None

    def count(_: object) -> None:
        record.made[run.simulation.moments] = len(record.decisions)

    run.simulation.run(watch=count)
    failure = run.simulation.failure
    if failure is not None:
        note(f"raise: {failure}")
        count(None)
    return record


def _order_text(
    symbol: str,
    sign: int,
    quantity: int,
    price: float | None,
    kind: str | None,
    stop: float | None,
    *rest: Any,
) -> str:
    side = "buy" if sign > 0 else "sell"
    text = f"{side} {quantity} {symbol}" + (f" at {price:g}" if price is not None else "")
    names = ("stop_loss", "take_profit", "trailing")
    exits = [f"{name} {value:g}" for name, value in zip(names, rest, strict=False) if value is not None]
    more = [*([kind] if kind else []), *([f"stop {stop:g}"] if stop is not None else []), *exits]
    return f"{text} ({', '.join(more)})" if more else text


def _compared(kind: str, bars: int, short: _Record, long: _Record) -> Iterator[Difference]:
    """The first decision of the first `bars` moments that the two runs do not share."""
    ours, theirs = short.until(bars), long.until(bars)
    for place in range(max(len(ours), len(theirs))):
        mine = ours[place] if place < len(ours) else None
        other = theirs[place] if place < len(theirs) else None
        if mine == other:
            continue
        when = min(one[0] for one in (mine, other) if one is not None)
        before, after = (one[1] if one is not None and one[0] == when else "nothing" for one in (mine, other))
        what = "two runs on the same bars decide otherwise" if kind == "chance" else "decision"
        yield Difference(kind, bars, when, what, before, after)
        return


def _changed(bars: int, short: _Record, long: _Record) -> Iterator[Difference]:
    """The first value of each indicator that changed as bars were added."""
    for name, (indicator, times) in short.indicators.items():
        if name not in long.indicators:
            continue
        known = indicator.values
        later = long.indicators[name][0].values[: len(known)]
        changed = (known != later) & ~(np.isnan(known) & np.isnan(later))
        if changed.any():
            at = int(np.argmax(changed))
            ns = int(times[at])
            yield Difference("indicator", bars, ns, name, f"{known[at]:.10g}", f"{later[at]:.10g}")


def _futures(bars: int, strategy: Strategy, series: Mapping[str, Series], ns: int) -> Iterator[Difference]:
    """Arrays in the strategy's reach that hold closes from after `ns`."""
    held = list(held_arrays(strategy))
    for symbol, one in series.items():
        first = _until(one, ns)
        for column in (one.close, one.open):
            moves = _moves(column[first : first + _RUN + 1])
            # Prices that repeat themselves tell nothing: the past has them too.
            if np.count_nonzero(moves != 1.0) < _RUN // 2 or _holds(column[:first], moves):
                continue
            for place, values in held:
                if _holds(values, moves):
                    yield Difference(
                        "future", bars, int(one.time[first]), f"{place} holds later prices of {symbol}",
                        "they are known", "they have happened",
                    )  # fmt: skip


def _moves(values: NDArray[Any]) -> NDArray[np.float64]:
    """Each value over the one before: the same whether prices are in đồng or in thousands."""
    floats = np.asarray(values, dtype=np.float64)
    with np.errstate(all="ignore"):
        moves: NDArray[np.float64] = floats[1:] / floats[:-1]
    return moves


def _holds(values: NDArray[Any], moves: NDArray[np.float64]) -> bool:
    for one in (values, values[::-1]):
        own = _moves(one)
        if len(own) < len(moves):
            return False
        hits = np.ones(len(own) - len(moves) + 1, dtype=np.bool_)
        for place, move in enumerate(moves):
            hits &= np.abs(own[place : place + len(hits)] - move) < 1e-6
        if hits.any():
            return True
    return False


def _first(found: Iterable[Difference]) -> list[Difference]:
    """The earliest difference of each kind and thing."""
    best: dict[tuple[str, str], Difference] = {}
    for one in found:
        key = (one.kind, one.what)
        if key not in best or (one.ns, one.bars) < (best[key].ns, best[key].bars):
            best[key] = one
    order = ("decision", "indicator", "future", "chance")
    return sorted(best.values(), key=lambda one: (order.index(one.kind), one.ns, one.what))
