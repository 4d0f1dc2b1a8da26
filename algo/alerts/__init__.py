"""Telling a person: halts, alarms and what strategies say, over as many channels as were asked for.

`Dispatcher` takes notices from any thread and returns at once. Each channel has a thread of its own, so that
neither the trading loop nor another channel waits for it, and a run that hangs still says so.
"""

from algo.alerts.dispatcher import Dispatcher
from algo.alerts.notice import Notice, Notify

__all__ = ["Dispatcher", "Notice", "Notify"]
