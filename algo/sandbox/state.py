"""What happened to a sandbox, in SQLite, so that it can be stopped, or killed, and go on.

World, brokerage and service are deterministic. So nothing of theirs is stored but what went in: how the
sandbox was made (`recipe`), each request that was carried out, and how far market time had come. `replay`
puts the same in again, and orders, positions, tokens and notify ids are what they were. An input is written
before anybody hears of what it caused; a kill in between leaves an input whose answer was never given, as
a lost connection does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from algo.errors import SettingError
from algo.sandbox.messages import Request, Response

VERSION = 1
"""Of the file's form. A file of another one is refused."""
_SCHEMA = """
create table recipe (version integer not null, text text not null);
create table inputs (
    number integer primary key,
    stops integer not null default 0,
    until integer,
    wall real,
    request text,
    body blob
);
"""
_KEPT_HEADERS = frozenset({"authorization", "x-signature", "content-type", "x-control-token", "notifyid"})


class _Market(Protocol):
    now: int

    def approach(self, to: int) -> None: ...
    def step(self) -> Any: ...


class _Service(Protocol):
    def publish(self) -> None: ...


class State:
    """A file of inputs. It holds the sandbox's keys too, so nobody else may read it (0600).

    Raises SettingError when the file is none of ours, damaged, or in use by another sandbox.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._file = sqlite3.connect(path, timeout=0.2, isolation_level=None)
            self._file.execute("pragma locking_mode = exclusive")
            tables = {name for (name,) in self._file.execute("select name from sqlite_master")}
            if tables and not {"recipe", "inputs"} <= tables:
                raise SettingError(f"{path} is a database of something else: name another --state file")
            self._file.execute("pragma journal_mode = wal")
            self._file.execute("pragma synchronous = normal")
            if not tables:
                self._file.executescript(f"begin immediate; {_SCHEMA} commit")
            if tables and self._file.execute("pragma quick_check").fetchone() != ("ok",):
                raise SettingError(f"{path} is damaged: name another --state file")
        except sqlite3.OperationalError as error:
            raise SettingError(f"{path} cannot be used: {error}; is another sandbox running on it?") from None
        except sqlite3.DatabaseError:
            raise SettingError(f"{path} is no state of a sandbox: name another --state file") from None
        except OSError as error:
            raise SettingError(f"{path} cannot be written: {error.strerror}") from None
        self._last: tuple[int, bool] = (0, False)

    @property
    def recipe(self) -> dict[str, Any] | None:
        """How the sandbox was made, None in a new file. Raises SettingError for a file of another version."""
        row = self._file.execute("select version, text from recipe").fetchone()
        if row is None:
            return None
        if row[0] != VERSION:
            raise SettingError(
                f"{self.path} was written by another version of algo: name another --state file"
            )
        found: dict[str, Any] = json.loads(row[1])
        return found

    def begin(self, recipe: Mapping[str, Any]) -> None:
        """Write down how the sandbox is made, once."""
        self._file.execute("insert into recipe values (?, ?)", (VERSION, json.dumps(recipe)))

    # What goes in

    def requested(self, request: Request, wall: float) -> None:
        """A request was carried out."""
        headers = {name: value for name, value in request.headers.items() if name in _KEPT_HEADERS}
        text = json.dumps([request.method, request.path, request.query, headers])
        self._file.execute(
            "insert into inputs (wall, request, body) values (?, ?, ?)", (wall, text, request.body)
        )
        self._last = (0, False)

    def stepped(self, stops: int, until: int) -> None:
        """Market time passed: so many stops, then up to `until`. Such inputs in a row are kept as one."""
        row, is_time = self._last
        if is_time:
            self._file.execute(
                "update inputs set stops = stops + ?, until = ? where number = ?", (stops, until, row)
            )
            return
        cursor = self._file.execute("insert into inputs (stops, until) values (?, ?)", (stops, until))
        self._last = (cursor.lastrowid or 0, True)

    # Going on

    def replay(self, world: _Market, service: _Service, handle: Callable[[Request, float], Response]) -> int:
        """Put everything in again, into a sandbox made by the same recipe. Gives how many inputs there were.

        `handle` takes the requests: the service's own, or one that knows the operator's too.
        """
        count = 0
        for stops, until, wall, text, body in self._file.execute(
            "select stops, until, wall, request, body from inputs order by number"
        ):
            count += 1
            if text is None:
                for _ in range(stops):
                    world.step()
                    service.publish()
                # Another stop at the very moment of the last one did not happen yet.
                world.approach(until)
            else:
                method, path, query, headers = json.loads(text)
                fields = tuple((name, value) for name, value in query)
                handle(Request(method, path, fields, headers, body), wall)
            service.publish()
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
