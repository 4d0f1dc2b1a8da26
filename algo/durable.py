"""Files that a crash cannot spoil: written to the side, synced, then renamed into place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from algo.errors import SettingError


def write_text(path: Path, text: str, *, mode: int = 0o644) -> Path:
    """Write `text` to `path` as a whole or not at all; directories are made. Gives the path.

    Raises SettingError when the place cannot be written.
    """
    return write_bytes(path, text.encode(), mode=mode)


def write_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> Path:
    """Write `content` to `path` as a whole or not at all; directories are made. Gives the path."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise SettingError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(mode)
        Path(aside).replace(path)
    except OSError as error:
        Path(aside).unlink(missing_ok=True)
        raise SettingError(f"cannot write {path}: {error.strerror}") from None
    return path
