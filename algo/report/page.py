"""A finished run as one HTML page, or as a short card for a notebook.

The page stands alone: pictures are drawn into it, nothing is fetched, no script runs. It follows the
reader's light or dark setting and says the same bytes for the same run. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from algo.report import plots
from algo.report.statistics import daily_equity, statistics
from algo.report.subject import Result
from algo.report.warnings import together

if TYPE_CHECKING:
    from jinja2 import Template

TRADES = 500  # rows of the trades table
WARNINGS = 100  # lines of warnings

# How each figure of the statistics is called and written, by the group that it is shown in.
FIGURES: dict[str, dict[str, tuple[str, str]]] = {
    "Return": {
        "opening": ("Opening equity", "đ"),
        "closing": ("Closing equity", "đ"),
        "net_profit": ("Net profit", "đ"),
        "return_pct": ("Return", "%"),
        "cagr_pct": ("Growth a year", "%"),
        "best_day_pct": ("Best day", "%"),
        "worst_day_pct": ("Worst day", "%"),
        "winning_days_pct": ("Winning days", "%"),
    },
    "Risk": {
        "volatility_pct": ("Volatility a year", "%"),
        "sharpe": ("Sharpe ratio", "×"),
        "sortino": ("Sortino ratio", "×"),
        "calmar": ("Calmar ratio", "×"),
        "max_drawdown_pct": ("Max drawdown, by day", "%"),
        "max_drawdown_intraday_pct": ("Max drawdown, by bar", "%"),
        "max_drawdown_days": ("Longest drawdown, days", "#"),
        "exposure_pct": ("Time in the market", "%"),
    },
    "Trades": {
        "trades": ("Trades", "#"),
        "win_rate_pct": ("Won", "%"),
        "profit_factor": ("Profit factor", "×"),
        "payoff_ratio": ("Average win to average loss", "×"),
        "expectancy": ("Mean profit a trade", "đ"),
        "avg_win": ("Average win", "đ"),
        "avg_loss": ("Average loss", "đ"),
        "best_trade": ("Best trade", "đ"),
        "worst_trade": ("Worst trade", "đ"),
        "sqn": ("System quality number", "×"),
        "max_losing_streak": ("Most losses in a row", "#"),
        "avg_holding_hours": ("Mean holding time, hours", "×"),
    },
    "Activity": {
        "bars": ("Bars", "#"),
        "days": ("Days", "#"),
        "fills": ("Fills", "#"),
        "traded_value": ("Traded value", "đ"),
        "turnover": ("Turnover of mean equity", "×"),
        "fees": ("Fees", "đ"),
        "taxes": ("Taxes", "đ"),
    },
}
HEADLINES = (
    "net_profit",
    "return_pct",
    "sharpe",
    "max_drawdown_pct",
    "trades",
    "win_rate_pct",
    "profit_factor",
)
_SIGNED = {"net_profit", "return_pct", "cagr_pct", "sharpe", "sortino", "calmar", "expectancy"}
_ELSEWHERE = {"start", "end"}


class Shown(NamedTuple):
    """A figure as people read it. `mood` is "gain", "loss" or empty."""

    label: str
    text: str
    mood: str


class Month(NamedTuple):
    """A cell of the monthly table: its text, its mood, and how strong its colour is, 0 to 100."""

    text: str
    mood: str
    strength: int


def html(result: Result) -> str:
    """The report of `result` as the text of one HTML page."""
    symbols = plots.drawn_symbols(result)
    drawn = symbols[: plots.PANELS]
    marked = plots.MARKED // max(1, len(drawn))
    warnings = together(result.warnings)
    return _template("report.html.j2").render(
        strategy=result.strategy,
        period=_period(result.stats),
        symbols=[str(symbol) for symbol in symbols],
        headlines=headlines(result.stats),
        warnings=warnings[:WARNINGS],
        warnings_left=max(0, len(warnings) - WARNINGS),
        performance=plots.svg(plots.performance(result), "Equity and drawdown"),
        prices=[
            plots.svg(plots.price(result, symbol, marked), f"Price, entries and exits of {symbol}")
            for symbol in drawn
        ],
        prices_left=symbols[plots.PANELS :],
        months=_months(result),
        groups=groups(result.stats),
        costs=costs(result),
        trades=_trades(result),
        trades_count=len(result.trades),
        parameters=_pairs(result.parameters),
        settings=_pairs(result.settings),
        data=[{key: _fact(key, value) for key, value in facts.items()} for facts in result.data],
        definitions=_definitions(),
    )


def html_summary(result: Result) -> str:
    """The headline figures and the picture of `result`, as a piece of HTML for a notebook's output."""
    return _template("summary.html.j2").render(
        strategy=result.strategy,
        period=_period(result.stats),
        headlines=headlines(result.stats),
        warnings=len(result.warnings),
        picture=plots.png_address(plots.figure(result), dpi=85),
    )


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("algo.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.get_template(name)


def headlines(stats: Mapping[str, Any]) -> list[Shown]:
    known = {key: entry for group in FIGURES.values() for key, entry in group.items()}
    return [_shown(key, *known[key], stats[key]) for key in HEADLINES if key in stats]


def groups(stats: Mapping[str, Any]) -> dict[str, list[Shown]]:
    """All figures by group; those that only the run itself knows come last."""
    groups = {
        name: [_shown(key, *entry, stats[key]) for key, entry in group.items() if key in stats]
        for name, group in FIGURES.items()
    }
    listed = {key for group in FIGURES.values() for key in group} | _ELSEWHERE
    others = [
        Shown(key.replace("_", " ").capitalize(), _plain(stats[key]), "")
        for key in stats
        if key not in listed
    ]
    return {name: group for name, group in {**groups, "Other": others}.items() if group}


def _shown(key: str, label: str, unit: str, value: Any) -> Shown:
    return Shown(label, _written(value, unit), _mood(value) if key in _SIGNED else "")


def _mood(value: float | None) -> str:
    return "gain" if value and value > 0 else "loss" if value and value < 0 else ""


def _written(value: Any, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "đ":
        return _minus(f"{value:,.0f} đ")
    if unit == "%":
        return _minus(f"{value:,.2f} %")
    return _minus(f"{value:,.2f}" if unit == "×" else f"{value:,}")


def _minus(text: str) -> str:
    """A true minus sign, and none before a zero."""
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.lstrip("-")


def _plain(value: Any) -> str:
    """Any value of parameters, settings or data facts as text."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return _minus(f"{value:,}")
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return str(value)


def _fact(name: str, value: Any) -> str:
    """A fact about the data; its moments come as ISO 8601 and are written like the page's others."""
    return _time(datetime.fromisoformat(value)) if value and name in ("from", "to") else _plain(value)


def _pairs(mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(key), _plain(value)) for key, value in mapping.items()]


def _time(moment: Any) -> str:
    return str(moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00"))


def _period(stats: Mapping[str, Any]) -> str:
    if not stats.get("start"):
        return "no bars"
    start, end = (_time(datetime.fromisoformat(stats[key])) for key in ("start", "end"))
    return f"{start} to {end}"


def _months(result: Result) -> list[tuple[str, list[Month], Month]]:
    """Rows of (year, twelve months, the year): returns between the last equity of each."""
    if not len(result.equity):
        return []
    import pandas as pd

    daily = daily_equity(result.equity)
    months = pd.DatetimeIndex(daily.index)
    last = year_base = month_base = float(result.stats["opening"])
    returns: dict[tuple[int, int], float | None] = {}
    years: dict[int, float | None] = {}
    for year, month, value in zip(months.year, months.month, daily.tolist(), strict=True):
        if year not in years:
            year_base = last
        if (year, month) not in returns:
            month_base = last
        returns[year, month] = value / month_base - 1 if month_base > 0 else None
        years[year] = value / year_base - 1 if year_base > 0 else None
        last = value
    largest = max((abs(value) for value in returns.values() if value is not None), default=0.0)
    return [
        (
            str(year),
            [_month(returns.get((year, month)), largest) for month in range(1, 13)],
            _month(whole, 0.0),
        )
        for year, whole in years.items()
    ]


def _month(value: float | None, largest: float) -> Month:
    if value is None:
        return Month("", "", 0)
    text = _minus(f"{100 * value:.2f}")
    strength = round(8 + 52 * abs(value) / largest) if largest > 0 and value else 0
    return Month(text, _mood(value), strength)


def costs(result: Result) -> list[tuple[str, list[str]]]:
    """Rows of (symbol, fees, taxes, both, traded value, both in 1/10,000 of it), the sum last.

    What the run paid without a fill, as for a position held overnight, has a row of its own.
    """
    fills = result.fills
    rows: list[tuple[str, float, float, float]] = []
    for symbol, part in fills.groupby("symbol", sort=True):
        fee, tax, value = (float(part[key].sum()) for key in ("fee", "tax", "value"))
        rows.append((str(symbol), fee, tax, value))
    fees, taxes = float(result.stats["fees"]), float(result.stats["taxes"])
    other_fees, other_taxes = fees - sum(row[1] for row in rows), taxes - sum(row[2] for row in rows)
    if other_fees or other_taxes:
        rows.append(("Not for a fill", other_fees, other_taxes, 0.0))
    whole = ("All", fees, taxes, float(fills["value"].sum()))
    return [(name, _cost_cells(*amounts)) for name, *amounts in [*(rows if len(rows) > 1 else ()), whole]]


def _cost_cells(fee: float, tax: float, value: float) -> list[str]:
    share = f"{10_000 * (fee + tax) / value:,.2f}" if value > 0 else "–"
    return [*(_minus(f"{amount:,.0f}") for amount in (fee, tax, fee + tax, value)), share]


def _trades(result: Result) -> list[dict[str, str]]:
    return [
        {
            "symbol": str(trade["symbol"]),
            "side": str(trade["side"]),
            "quantity": f"{trade['quantity']:,}",
            "entry_time": _time(trade["entry_time"]),
            "entry_price": _price(trade["entry_price"]),
            "exit_time": _time(trade["exit_time"]),
            "exit_price": _price(trade["exit_price"]),
            "pnl": _minus(f"{trade['pnl']:,.0f}"),
            "mood": _mood(trade["pnl"]),
            "costs": f"{trade['fees'] + trade['taxes']:,.0f}",
            "exit_reason": _plain(trade["exit_reason"]),
        }
        for trade in result.trades.head(TRADES).to_dict("records")
    ]


def _price(value: float) -> str:
    return f"{float(value):,.4f}".rstrip("0").rstrip(".")


def _definitions() -> str:
    """What the figures mean: the docstring that defines them."""
    from inspect import cleandoc

    text = cleandoc(statistics.__doc__ or "")
    return text[text.find("The run:") :] if text else ""
