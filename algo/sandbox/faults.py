"""Faults on demand and by chance, as decisions alone: who serves requests and streams carries them out.

The server applies them over sockets, the simulation without. A fault that was asked for happens to the next
request or message that it fits; chances come from a seeded generator, so that a run can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from algo.errors import SettingError
from algo.sandbox.messages import Request, Response


class Fault(StrEnum):
    """What can go wrong: the first group with requests, the second with messages of the trading stream."""

    DROP = "drop"
    """The connection ends before the request is looked at."""
    LOSE = "lose"
    """The request is carried out; the connection ends without an answer."""
    CUT = "cut"
    """The request is carried out; the answer ends in the middle."""
    GATEWAY = "gateway"
    """The request is carried out; a gateway's page with HTTP 502 comes instead of the answer."""
    DELAY = "delay"
    """The request is carried out; the answer comes late."""
    ERROR = "error"
    """HTTP 500 with text; the request is not carried out."""
    QUOTA = "quota"
    """HTTP 429; the request is not carried out."""

    MISS = "miss"
    """A message never comes, though the connection lives. A replay has it."""
    REPEAT = "repeat"
    """A message comes twice."""
    REORDER = "reorder"
    """A message comes after the one that follows it."""

    @property
    def of_stream(self) -> bool:
        """Whether it happens to messages of the stream, not to requests."""
        return self in {Fault.MISS, Fault.REPEAT, Fault.REORDER}


@dataclass(frozen=True, slots=True)
class Asked:
    """A fault that was asked for: the next `count` requests or messages that contain `match` have it.

    `match` is compared with the request's path or the message's text; '' fits everything. `seconds` is how
    late a delayed answer comes.
    """

    fault: Fault
    count: int = 1
    match: str = ""
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 1_000_000:
            raise SettingError("a fault happens 1 to 1,000,000 times")
        if not 0 <= self.seconds <= 3600:
            raise SettingError("an answer is at most an hour late")


@dataclass(frozen=True, slots=True)
class Treatment:
    """What happens to one request."""

    fault: Fault | None = None
    seconds: float = 0.0

    @property
    def instead(self) -> Response | None:
        """The answer of a request that is not carried out."""
        if self.fault is Fault.ERROR:
            return _INTERNAL
        return _TOO_MANY if self.fault is Fault.QUOTA else None

    @property
    def unheard(self) -> bool:
        """Whether the connection ends before the request is carried out."""
        return self.fault is Fault.DROP

    def after(self, response: Response) -> Response | None:
        """What comes instead of the answer; None when the connection ends without one."""
        if self.fault is Fault.LOSE:
            return None
        return _BAD_GATEWAY if self.fault is Fault.GATEWAY else response

    @property
    def cut(self) -> bool:
        """Whether the answer ends in the middle."""
        return self.fault is Fault.CUT


_TEXT = "text/plain; charset=utf-8"
_INTERNAL = Response(500, b"Internal Server Error", _TEXT)
_TOO_MANY = Response(
    429, b"API calls quota exceeded! maximum admitted 0 per 1s", _TEXT, (("Retry-After", "1"),)
)
_BAD_GATEWAY = Response(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html")
_UNTOUCHED = Treatment()


class Faults:
    """Decides what goes wrong. `odds` are chances from 0 to 1, drawn from a generator with `seed`."""

    def __init__(self, odds: Mapping[Fault, float] | None = None, seed: int = 0) -> None:
        self._asked: list[Asked] = []
        self._odds: dict[Fault, float] = {}
        self._random = random.Random(seed)  # noqa: S311  a run can be repeated
        self._held: dict[str, str] = {}
        self.delay = 1.0
        """Seconds of a delay by chance."""
        self.happened: dict[Fault, int] = dict.fromkeys(Fault, 0)
        self.chance(odds or {})

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What still waits for a request or message that it fits."""
        return tuple(self._asked)

    @property
    def odds(self) -> dict[Fault, float]:
        """The chances that are not zero."""
        return dict(self._odds)

    def ask(self, asked: Asked) -> None:
        """Let it happen to what comes next."""
        self._asked.append(asked)

    def chance(self, odds: Mapping[Fault, float]) -> None:
        """Set the chances; those that are not named become zero."""
        for fault, chance in odds.items():
            if not 0 <= chance <= 1:
                raise SettingError(f"the chance of {fault} is {chance:g}: give 0 to 1")
        self._odds = {fault: chance for fault, chance in odds.items() if chance}

    def clear(self) -> None:
        """Nothing goes wrong from now on."""
        self._asked.clear()
        self._odds.clear()

    @property
    def quiet(self) -> bool:
        """Whether nothing can go wrong."""
        return not self._asked and not self._odds and not self._held

    def treat(self, request: Request) -> Treatment:
        """What happens to a request."""
        if not self._asked and not self._odds:
            return _UNTOUCHED
        asked = self._next(request.path, of_stream=False)
        if asked is None:
            return _UNTOUCHED
        return Treatment(asked.fault, asked.seconds if asked.fault is Fault.DELAY else 0.0)

    def spoil(self, who: str, messages: Sequence[str]) -> list[str]:
        """The messages to one person as they come after what goes wrong with them.

        A message that is held back comes after the person's next one, in a later call when this one has none.
        """
        if self.quiet:
            return list(messages)
        out: list[str] = []
        for message in messages:
            held = self._held.pop(who, None)
            asked = self._next(message, of_stream=True)
            fault = asked.fault if asked else None
            if fault is Fault.REORDER:
                self._held[who] = message
            elif fault is not Fault.MISS:
                out += [message] * (2 if fault is Fault.REPEAT else 1)
            if held is not None:
                out.append(held)
        return out

    def _next(self, text: str, *, of_stream: bool) -> Asked | None:
        for place, asked in enumerate(self._asked):
            if asked.fault.of_stream is of_stream and asked.match.lower() in text.lower():
                if asked.count > 1:
                    self._asked[place] = replace(asked, count=asked.count - 1)
                else:
                    del self._asked[place]
                self.happened[asked.fault] += 1
                return asked
        for fault, chance in self._odds.items():
            if fault.of_stream is of_stream and self._random.random() < chance:
                self.happened[fault] += 1
                return Asked(fault, seconds=self.delay)
        return None


def parse_odds(text: str) -> dict[Fault, float]:
    """The chances in ``lose=0.01,delay=0.05``. Raises SettingError."""
    return named_odds(pair.partition("=")[::2] for pair in text.split(",") if pair.strip())


def named_odds(pairs: Iterable[tuple[str, object]]) -> dict[Fault, float]:
    """Chances by the names of faults. Raises SettingError for a name or number that is none."""
    odds = {}
    for name, value in pairs:
        try:
            odds[Fault(name.strip())] = float(str(value))
        except ValueError:
            known = ", ".join(Fault)
            raise SettingError(f"{name.strip()[:40]!r}: a fault is NAME=CHANCE with one of {known}") from None
    return odds
