"""The durable, append-only record of a live run: what came in, what was decided, what became of it.

`Journal` writes, `Records` reads, both over one SQLite file. Every row is part of a hash chain, so that a
journal that was torn or altered is noticed when it is opened.
"""

from algo.journal.codec import Codec
from algo.journal.integrity import verify
from algo.journal.journal import Journal, fingerprint, set_aside
from algo.journal.lock import Head
from algo.journal.reading import Records, Row, RowKind
from algo.journal.records import Halted, HaltLifted, OrderOrigin, StrategyState, StreamPosition
from algo.journal.registry import CODEC, TYPES
from algo.journal.storage import Connect, Connection, connect, connect_reader

__all__ = [
    "CODEC",
    "TYPES",
    "Codec",
    "Connect",
    "Connection",
    "HaltLifted",
    "Halted",
    "Head",
    "Journal",
    "OrderOrigin",
    "Records",
    "Row",
    "RowKind",
    "StrategyState",
    "StreamPosition",
    "connect",
    "connect_reader",
    "fingerprint",
    "set_aside",
    "verify",
]
