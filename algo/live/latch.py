"""The kill switch's latch: a file beside the journal, so that it outlives every process.

Whoever kills makes it, `algo resume` removes it, and a run that finds it trades nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from algo.durable import write_text


class Latch:
    """The latch of the run that has its journal at `journal`."""

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(f"{journal.name}.halt")

    def set(self, reason: str) -> None:
        """Latch. A first reason stays."""
        if not self.reason():
            write_text(self.path, json.dumps({"reason": reason}) + "\n", mode=0o600)
            self._sync()

    def reason(self) -> str:
        """Why it is latched, '' when it is not. A latch that cannot be read counts."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self.path.name} cannot be read: {error.strerror}"
        try:
            return str(json.loads(text)["reason"]) or "killed"
        except (ValueError, KeyError, TypeError):
            return "killed"

    def lift(self) -> bool:
        """Take it away; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        self._sync()
        return True

    def _sync(self) -> None:
        """Make the folder's entry durable, where folders can be synced."""
        try:
            handle = os.open(self.path.parent, os.O_RDONLY)
        except OSError:
            return
        try:
            os.fsync(handle)
        except OSError:
            pass
        finally:
            os.close(handle)
