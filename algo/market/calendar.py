"""Which days trade.

Closures are weekdays on which all Vietnamese exchanges are closed, from their yearly notices. A
Saturday worked to make up for a bridge day does not trade. No kept calendar package covers these
exchanges, so the table is the project's own; a user adds years to it. Years outside the table come
from the public holidays in the `holidays` package and are a guess, because the exchanges' bridge
days are not in there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

from algo.errors import SettingError

_ONE = timedelta(days=1)
_SATURDAY = 5
_FIRST_YEAR = 1990  # before this there was no market; a walk back stops here


def _days(year: int, *months_and_days: str) -> frozenset[date]:
    """Days of `year` written as ``MM-DD`` or ``MM-DD..DD`` (inclusive)."""
    found: set[date] = set()
    for text in months_and_days:
        first, _, last = text.partition("..")
        month, day = int(first[:2]), int(first[3:])
        found.update(date(year, month, one) for one in range(day, (int(last) if last else day) + 1))
    return frozenset(found)


CLOSURES: Mapping[int, frozenset[date]] = {
    2023: _days(2023, "01-02", "01-20", "01-23..26", "05-01..03", "09-01", "09-04"),
    2024: _days(
        2024, "01-01", "02-08", "02-09", "02-12..14", "04-18", "04-29", "04-30", "05-01", "09-02", "09-03"
    ),
    2025: _days(2025, "01-01", "01-27..31", "04-07", "04-30", "05-01", "05-02", "09-01", "09-02"),
    2026: _days(
        2026,
        "01-01",
        "01-02",
        "02-16..20",
        "04-27",
        "04-30",
        "05-01",
        "08-31",
        "09-01",
        "09-02",
        "11-24",
    ),
}
"""Closed weekdays by year, complete for each year that is in it."""

UNCONFIRMED: frozenset[date] = frozenset({date(2026, 11, 24)})
"""Closures in the table that no exchange notice has confirmed yet."""


class TradingCalendar:
    """Trading days, from the table of closures or from the days of a data set.

    `closures` maps a year to all its closed weekdays; give ``{**CLOSURES, 2027: [...]}`` to add a
    year. With `trading_days`, exactly those days trade between the first and the last of them, and
    the table answers outside.
    """

    __slots__ = ("_closures", "_extra", "_first", "_guesses", "_last", "_listed")

    def __init__(
        self,
        closures: Mapping[int, Collection[date]] = CLOSURES,
        trading_days: Iterable[date] | None = None,
    ) -> None:
        self._closures = {year: frozenset(days) for year, days in closures.items()}
        for year, days in self._closures.items():
            wrong = [day for day in days if day.year != year]
            if wrong:
                raise SettingError(f"the closure {min(wrong)} stands under the year {year}: move it")
        self._extra: frozenset[date] = frozenset()
        self._guesses: dict[int, frozenset[date]] = {}
        self._listed = frozenset(trading_days) if trading_days is not None else frozenset[date]()
        self._first = min(self._listed, default=date.max)
        self._last = max(self._listed, default=date.min)

    @classmethod
    def from_days(cls, days: Iterable[date]) -> TradingCalendar:
        """A calendar in which the days of a data set trade; the table answers outside their range."""
        return cls(trading_days=days)

    def with_closures(self, *days: date) -> TradingCalendar:
        """A copy in which `days` are closed as well. It does not make their year a known one."""
        copy = TradingCalendar(self._closures, self._listed or None)
        copy._extra = self._extra | set(days)
        return copy

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchanges open on `day`."""
        if day in self._extra:
            return False
        if self._first <= day <= self._last:
            return day in self._listed
        return day.weekday() < _SATURDAY and day not in self._closed(day.year)

    def is_guess(self, day: date) -> bool:
        """Whether the answer for `day` rests on public holidays or on an unconfirmed closure."""
        if self._first <= day <= self._last or day.weekday() >= _SATURDAY or day in self._extra:
            return False
        if day.year not in self._closures:
            return True
        return day in UNCONFIRMED and day in self._closures[day.year]

    def next_trading_day(self, day: date, n: int = 1) -> date:
        """The `n`-th trading day after `day`."""
        return self._walk(day, n, _ONE)

    def previous_trading_day(self, day: date, n: int = 1) -> date:
        """The `n`-th trading day before `day`."""
        return self._walk(day, n, -_ONE)

    def trading_days(self, first: date, last: date) -> list[date]:
        """Every trading day from `first` to `last`, both included."""
        span = range(first.toordinal(), last.toordinal() + 1)
        return [day for day in map(date.fromordinal, span) if self.is_trading_day(day)]

    def _walk(self, day: date, n: int, step: timedelta) -> date:
        if n < 1:
            raise ValueError("count trading days from 1")
        while n:
            day += step
            if day.year < _FIRST_YEAR:
                raise SettingError(f"no trading day before {_FIRST_YEAR}")
            n -= self.is_trading_day(day)
        return day

    def _closed(self, year: int) -> frozenset[date]:
        known = self._closures.get(year)
        if known is not None:
            return known
        guess = self._guesses.get(year)
        if guess is None:
            import holidays

            guess = self._guesses[year] = frozenset(holidays.country_holidays("VN", years=year))
        return guess


VIETNAM = TradingCalendar()
"""The calendar of the table, for whoever has no better one."""
