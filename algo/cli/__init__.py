"""The command line. Each command is a file; what they need is imported when they run."""

from __future__ import annotations

from algo.cli.app import app

__all__ = ["app"]
