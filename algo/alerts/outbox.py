"""What waits for one channel: merged, bounded, and tried again with growing pauses. Pure; times are seconds.

The first of a text goes at once. The same text within `merge` seconds is counted, and told once more with
the count when that time is over. What is urgent is never dropped, however long a channel is down; of the
rest the oldest goes when more than `most` wait, and how many went is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from algo.alerts.notice import Notice

BATCH = 20
"""Notices that are sent at once."""
_WINDOWS = 5_000
"""Texts whose repeats are counted at the same time; more than that is told unmerged, but for alarms."""

Key = tuple[bool, str]


@dataclass(slots=True)
class _Window:
    since: float
    last: Notice
    more: int = 0


class Outbox:
    """One channel's. Take `due`, try to send it, then say `delivered` or `failed`."""

    def __init__(
        self, *, merge: float = 60.0, most: int = 200, first: float = 1.0, longest: float = 60.0
    ) -> None:
        self._merge = merge
        self._most = most
        self._first = first
        self._longest = longest
        self._waiting: dict[Key, Notice] = {}
        self._sending: dict[Key, Notice] = {}
        self._windows: dict[Key, _Window] = {}
        self._dropped = 0
        self._dropped_at = 0
        self._not_before = 0.0
        self._failures = 0

    def put(self, notice: Notice, now: float) -> None:
        """Take up a notice."""
        key = (notice.urgent, notice.text)
        window = self._windows.get(key)
        if window is not None and now - window.since < self._merge:
            window.more += notice.times
            window.last = notice
            return
        if window is not None and window.more:
            self._add(window.last._replace(times=window.more))
        if notice.urgent or len(self._windows) < _WINDOWS:
            self._windows[key] = _Window(now, notice)
        self._add(notice)

    def _add(self, notice: Notice) -> None:
        key = (notice.urgent, notice.text)
        before = self._waiting.get(key)
        times = notice.times + (before.times if before else 0)
        self._waiting[key] = notice._replace(times=times)
        ordinary = [one for one in self._waiting if not one[0]] if len(self._waiting) > self._most else []
        if len(ordinary) > self._most:
            gone = self._waiting.pop(ordinary[0])
            self._dropped += gone.times
            self._dropped_at = notice.ns

    def flush(self, now: float) -> None:
        """The end is near: everything is due, counts included, and no pause holds it up."""
        self._close_windows(now, everything=True)
        self._not_before = now

    def _close_windows(self, now: float, *, everything: bool = False) -> None:
        over = [
            key for key, window in self._windows.items() if everything or now - window.since >= self._merge
        ]
        for key in over:
            window = self._windows.pop(key)
            if window.more:
                self._add(window.last._replace(times=window.more))
                if not everything:
                    self._windows[key] = _Window(now, window.last)

    def due(self, now: float) -> list[Notice]:
        """What to send now, alarms first; empty when there is nothing or a pause holds it up."""
        if self._sending or now < self._not_before:
            return []
        self._close_windows(now)
        if self._dropped:
            text = f"{self._dropped:,} messages were not told here: too many"
            self._waiting[True, text] = Notice(self._dropped_at, "alerts", "", text, urgent=True)
            self._dropped = 0
        first = sorted(self._waiting, key=lambda key: not key[0])[:BATCH]
        self._sending = {key: self._waiting.pop(key) for key in first}
        return list(self._sending.values())

    def delivered(self) -> bool:
        """What was due has arrived. Whether that ended a row of failures."""
        self._sending = {}
        recovered = self._failures > 0
        self._failures = 0
        return recovered

    def failed(self, now: float, wait: float = 0.0) -> bool:
        """What was due did not arrive: it waits again. Whether this is the first failure in a row."""
        sent, self._sending = self._sending, {}
        later, self._waiting = self._waiting, sent
        for notice in later.values():
            self._add(notice)
        pause = min(self._longest, self._first * 2.0 ** min(self._failures, 30))
        self._not_before = now + max(pause, min(wait, self._longest))
        self._failures += 1
        return self._failures == 1

    def wait(self, now: float) -> float | None:
        """Seconds until something may be due, None while nothing is to come."""
        moments = [self._not_before] if self._waiting or self._dropped else []
        moments += [one.since + self._merge for one in self._windows.values() if one.more]
        return max(0.0, max(min(moments), self._not_before) - now) if moments else None

    @property
    def empty(self) -> bool:
        """Whether nothing waits and nothing is on its way."""
        return not (self._waiting or self._sending or self._dropped)
