"""Pictures of a finished run, drawn with matplotlib: equity, drawdown, price with entries and exits.

The horizontal axis counts bars, so nights and holidays leave no gaps. Long curves are thinned for
drawing; every stretch keeps its highest and its lowest value. matplotlib is imported at the first
picture, and neither pyplot nor a display is needed.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algo.report.statistics import drawdown, local_moments
from algo.report.subject import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Each colour has one part to play: a page may swap it for its own by that name (see `svg`).
COLOURS = {
    "ink": "#1c2431",
    "muted": "#677386",
    "rule": "#dfe4ec",
    "line": "#2a5bd0",
    "price": "#55637a",
    "gain": "#0e8f6e",
    "loss": "#cc423c",
}
POINTS = 1600  # of a curve
MARKED = 400  # trades drawn, of all panels together
PANELS = 6  # price panels in a report

_STYLE = {
    "svg.hashsalt": "algo",
    "svg.fonttype": "none",
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titlecolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["rule"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0.01,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.7,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["rule"],
    "ytick.color": COLOURS["rule"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "ytick.major.size": 0.0,
    "lines.solid_joinstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.0,
}


def figure(result: Result) -> Figure:
    """Equity, drawdown, and the price of the symbol traded most with its entries and exits."""
    symbols = drawn_symbols(result)[:1]
    chart, axes = _panels([2.6, 1.1, *(2.8 for _ in symbols)])
    with _style():
        _draw_performance(axes[0], axes[1], result)
        for symbol in symbols:
            _draw_price(axes[2], result, symbol, MARKED)
    return chart


def performance(result: Result) -> Figure:
    """Equity over drawdown."""
    chart, axes = _panels([2.6, 1.1])
    with _style():
        _draw_performance(axes[0], axes[1], result)
    return chart


def price(result: Result, symbol: str, marked: int = MARKED) -> Figure:
    """Closes of `symbol` between its lows and highs, with the entries and exits of up to `marked` trades.

    Where there are more trades, those with the largest profits and losses are drawn.
    """
    chart, axes = _panels([3.0])
    with _style():
        _draw_price(axes[0], result, symbol, marked)
    return chart


def drawn_symbols(result: Result) -> list[str]:
    """The symbols with prices, the one with most trades first."""
    counts = {symbol: len(trades_of(result, symbol)) for symbol in result.prices}
    return sorted(counts, key=lambda symbol: (-counts[symbol], symbol))


def trades_of(result: Result, symbol: str) -> pd.DataFrame:
    """The trades to mark on the prices of `symbol`.

    With one price table these are all: a futures series is traded through its contracts' own symbols.
    """
    return result.trades if len(result.prices) == 1 else result.trades[result.trades["symbol"] == symbol]


def svg(chart: Figure, label: str) -> str:
    """`chart` as an ``<svg>`` to stand inside a page, the same bytes for the same chart.

    Its colours are the page's custom properties of the names in `COLOURS`, its font is the page's.
    """
    text = io.StringIO()
    with _style():
        chart.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'<g id="[^"]*">', "<g>", drawing)  # two charts on a page would share these
    drawing = re.sub(r"<defs>\s*<style[^>]*>.*?</style>\s*</defs>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r"font: (?:\w+ )*([\d.]+)px [^;\"]+", r"font-size: \1px", drawing)
    drawing = re.sub(r" font-family: [^;\"]+;?", "", drawing)
    drawing = re.sub(r"(\.\d\d)\d+", r"\1", drawing)
    drawing = re.sub(r"\s*\n\s*", " ", drawing)
    for name, colour in COLOURS.items():
        drawing = drawing.replace(colour, f"var(--{name})")
    box = re.search(r'viewBox="[^"]*"', drawing)
    opening = f'<svg class="chart" role="img" aria-label="{_attribute(label)}" {box.group() if box else ""}>'
    return opening + drawing[drawing.index(">") + 1 :]


def png(chart: Figure, dpi: int = 110) -> bytes:
    """`chart` as a PNG on white, the same bytes for the same chart."""
    image = io.BytesIO()
    with _style():
        chart.savefig(image, format="png", dpi=dpi, metadata={"Software": None})
    return image.getvalue()


def png_address(chart: Figure, dpi: int = 110) -> str:
    """`chart` as a ``data:`` address for an ``<img>``."""
    return "data:image/png;base64," + base64.b64encode(png(chart, dpi)).decode("ascii")


def thinned(low: NDArray[np.float64], high: NDArray[np.float64], most: int = POINTS) -> NDArray[np.intp]:
    """About `most` places that keep a curve's looks: of each stretch the lowest `low` and highest `high`.

    The first and the last place are always among them. Ascending; all places where there are no more.
    """
    count = low.size
    if count <= most:
        return np.arange(count)
    width = -(-count // (most // 2))
    starts = np.arange(0, count, width)
    missing = (0, starts.size * width - count)
    lows = np.pad(np.where(np.isnan(low), np.inf, low), missing, constant_values=np.inf)
    highs = np.pad(np.where(np.isnan(high), -np.inf, high), missing, constant_values=-np.inf)
    lowest = starts + lows.reshape(-1, width).argmin(axis=1)
    highest = starts + highs.reshape(-1, width).argmax(axis=1)
    return np.unique(np.concatenate([[0], lowest, highest, [count - 1]]))


# Panels


def _draw_performance(upper: Axes, lower: Axes, result: Result) -> None:
    values = np.asarray(result.equity, dtype=np.float64)
    lower.set_title("Drawdown, %")
    if not values.size:
        upper.set_title("Equity")
        _say_nothing(upper)
        _say_nothing(lower)
        return
    places = thinned(values, values)
    upper.plot(places, values[places], color=COLOURS["line"], linewidth=1.2)
    upper.axhline(float(values[0]), color=COLOURS["muted"], linewidth=0.7, linestyle=(0, (3, 3)))
    _money_axis(upper, values)
    falls = 100 * drawdown(values)
    places = thinned(falls, falls)
    lower.fill_between(places, falls[places], 0, color=COLOURS["loss"], alpha=0.22, linewidth=0)
    lower.plot(places, falls[places], color=COLOURS["loss"], linewidth=0.8)
    lower.set_ylim(top=0)
    for axes in (upper, lower):
        _date_axis(axes, local_moments(result.equity.index))
    upper.tick_params(labelbottom=False)


def _draw_price(axes: Axes, result: Result, symbol: str, marked: int) -> None:
    from matplotlib.collections import LineCollection

    table = result.prices[symbol]
    trades = trades_of(result, symbol)
    shown = trades
    title = f"{symbol}: close, entries and exits"
    if len(trades) > marked:
        largest = trades["pnl"].abs().sort_values(ascending=False, kind="stable").index[:marked]
        shown = trades.loc[trades.index.isin(largest)]
        title += f" ({marked:,} of {len(trades):,} trades: the largest profits and losses)"
    axes.set_title(title)
    if table.empty:
        _say_nothing(axes)
        return
    low, high, close = (table[key].to_numpy(dtype=np.float64) for key in ("low", "high", "close"))
    band = thinned(low, high)
    axes.fill_between(band, *_envelope(low, high, band), color=COLOURS["price"], alpha=0.16, linewidth=0)
    places = thinned(close, close)
    axes.plot(places, close[places], color=COLOURS["price"], linewidth=0.9)
    moments = local_moments(table.index)
    _date_axis(axes, moments)
    if shown.empty:
        return
    entered = _places(moments, shown["entry_time"])
    left = _places(moments, shown["exit_time"])
    paid = shown["entry_price"].to_numpy(dtype=np.float64)
    got = shown["exit_price"].to_numpy(dtype=np.float64)
    won = shown["pnl"].to_numpy(dtype=np.float64) > 0
    for flag, colour in ((won, "gain"), (~won, "loss")):
        ends = np.stack([np.stack([entered, paid], 1), np.stack([left, got], 1)], 1)[flag]
        axes.add_collection(LineCollection(list(ends), colors=COLOURS[colour], linewidths=1.0, alpha=0.8))
    long = (shown["side"] == "long").to_numpy()
    marks: Sequence[tuple[Any, Any, str, str, str]] = (
        (entered[long], paid[long], "^", "gain", "long entry"),
        (entered[~long], paid[~long], "v", "loss", "short entry"),
        (left, got, "o", "muted", "exit"),
    )
    for x, y, shape, colour, name in marks:
        if len(x):
            face = "none" if shape == "o" else COLOURS[colour]
            size = (5.0 if len(shown) <= 120 else 3.2) * (0.7 if shape == "o" else 1.0)
            axes.plot(
                x,
                y,
                linestyle="none",
                marker=shape,
                markersize=size,
                markerfacecolor=face,
                markeredgecolor=COLOURS[colour],
                markeredgewidth=0.8,
                label=name,
            )
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderaxespad=0.2, labelcolor="linecolor"
    )


def _envelope(
    low: NDArray[np.float64], high: NDArray[np.float64], places: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The lowest low and the highest high from each place until before the next."""
    return np.minimum.reduceat(low, places), np.maximum.reduceat(high, places)


def _places(moments: pd.DatetimeIndex, times: pd.Series[Any]) -> NDArray[np.float64]:
    """The bar in which each time lies."""
    found = moments.searchsorted(local_moments(times).as_unit(moments.unit), side="left")
    return np.minimum(found, len(moments) - 1).astype(np.float64)


def _say_nothing(axes: Axes) -> None:
    axes.text(0.5, 0.5, "no bars", transform=axes.transAxes, ha="center", va="center", color=COLOURS["muted"])


# Axes


def _money_axis(axes: Axes, values: NDArray[np.float64]) -> None:
    size = float(np.abs(values).max())
    unit, name = next(((u, n) for u, n in ((1e9, "billion"), (1e6, "million")) if size >= u), (1.0, ""))
    axes.set_title(f"Equity, {name} đồng" if name else "Equity, đồng")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value / unit:,.10g}".replace("-", "−"))


def _date_axis(axes: Axes, moments: pd.DatetimeIndex) -> None:
    places, labels = _ticks(moments)
    axes.set_xticks(places, labels)


def _ticks(moments: pd.DatetimeIndex, most: int = 8) -> tuple[list[int], list[str]]:
    """Where years, months, days, hours or minutes begin, whichever are coarse enough, and their names."""
    if not len(moments):
        return [], []
    local = moments.tz_localize(None).to_numpy()
    starts, names = np.arange(len(moments)), "%m-%d %H:%M"
    for unit, pattern in (("Y", "%Y"), ("M", "%Y-%m"), ("D", "%Y-%m-%d"), ("h", "%m-%d %H:%M")):
        begun = np.flatnonzero(np.diff(local.astype(f"datetime64[{unit}]").astype(np.int64))) + 1
        if begun.size >= 4:
            starts, names = begun, pattern
            break
    starts = starts[:: -(-starts.size // most)]
    return starts.tolist(), list(moments[starts].strftime(names))


# Charts


@cache
def _chart_class() -> type[Figure]:
    from matplotlib.figure import Figure

    class Chart(Figure):
        """A figure that a notebook shows without pyplot."""

        def _repr_png_(self) -> bytes:
            return png(self)

    return Chart


def _panels(heights: list[float]) -> tuple[Figure, list[Axes]]:
    with _style():
        chart = _chart_class()(figsize=(10.0, sum(heights) + 0.2), layout="constrained")
        axes = chart.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})
        return chart, list(axes[:, 0])


def _style() -> AbstractContextManager[None]:
    """The look, whatever the user's own matplotlib settings are."""
    from matplotlib import style

    return style.context(["default", _STYLE])


def _attribute(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))
