"""The dispatcher: takes notices from any thread at once, and delivers them from threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Self

from algo.alerts.notice import Notice, Notify
from algo.alerts.outbox import Outbox
from algo.errors import ChannelFailed
from algo.fastconnect.redaction import Redactor
from algo.fastconnect.secret import Secret

LEAVE = 5.0
"""Seconds that the end of a run waits for what is still to be told."""


class Dispatcher:
    """Use as ``with Dispatcher(channels) as tell``; leaving it delivers what waits, within `LEAVE` seconds.

    A channel that fails is told on the others, once for each time that it goes down. Secrets in `hide`, and
    whatever looks like a token, are taken out of every text.
    """

    def __init__(
        self,
        channels: Iterable[Notify],
        *,
        hide: Iterable[Secret] = (),
        outbox: Callable[[], Outbox] = Outbox,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._redact = Redactor(hide)
        self._clock = clock
        self._workers = [_Worker(channel, outbox(), self._went) for channel in channels]

    def __enter__(self) -> Self:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def alarm(self, ns: int, kind: str, scope: str, text: str) -> None:
        """Tell of a halt or an alarm: ``dispatcher.alarm(*alarm)``. It is never dropped."""
        self.tell(Notice(ns, kind, scope, text, urgent=True))

    def message(self, ns: int, strategy: str, text: str) -> None:
        """Tell what a strategy, or the run itself with '', has to say."""
        self.tell(Notice(ns, "message", strategy, text))

    def tell(self, notice: Notice) -> None:
        """Hand a notice to every channel. Returns at once, from any thread, and raises nothing."""
        self._tell(notice, None)

    def _tell(self, notice: Notice, besides: _Worker | None) -> None:
        hidden = notice._replace(text=self._redact(notice.text), scope=self._redact(notice.scope))
        for worker in self._workers:
            if worker is not besides:
                worker.put(hidden)

    def _went(self, worker: _Worker, reason: str) -> None:
        """A channel went down, or came back when `reason` is ''."""
        text = f"{worker.channel.name} {f'does not deliver: {reason}' if reason else 'delivers again'}"
        self._tell(Notice(self._clock(), "alerts", "", text, urgent=bool(reason)), worker)

    @property
    def problems(self) -> dict[str, str]:
        """The channels that are down, and why."""
        return {one.channel.name: one.problem for one in self._workers if one.problem}

    def close(self, patience: float = LEAVE) -> None:
        """Deliver what waits, as far as `patience` seconds allow, and end."""
        deadline = time.monotonic() + patience
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))


class _Worker:
    """One channel and its thread, which never outlives the process."""

    def __init__(self, channel: Notify, outbox: Outbox, went: Callable[[_Worker, str], None]) -> None:
        self.channel = channel
        self.problem = ""
        self._outbox = outbox
        self._went = went
        self._change = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"algo-{channel.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, notice: Notice) -> None:
        with self._change:
            self._outbox.put(notice, time.monotonic())
            self._change.notify()

    def end(self) -> None:
        with self._change:
            self._ending = True
            self._outbox.flush(time.monotonic())
            self._change.notify()

    def join(self, seconds: float) -> None:
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while batch := self._next():
            reason, wait = "", 0.0
            try:
                self.channel.send(batch)
            except ChannelFailed as error:
                reason, wait = str(error) or "it fails", error.wait
            except Exception as error:  # noqa: BLE001 - a channel may be anybody's, and must not end the thread
                reason = type(error).__name__
            with self._change:
                now = time.monotonic()
                turned = self._outbox.failed(now, wait) if reason else self._outbox.delivered()
                self.problem = reason
                ending = self._ending and bool(reason)
            if turned:
                self._went(self, reason)
            if ending:
                break
        self.channel.close()

    def _next(self) -> list[Notice]:
        """The next batch, once there is one; empty at the end."""
        with self._change:
            while True:
                now = time.monotonic()
                batch = self._outbox.due(now)
                if batch or (self._ending and self._outbox.empty):
                    return batch
                self._change.wait(self._outbox.wait(now))
