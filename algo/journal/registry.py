"""The types that a journal can hold. A new event or command belongs here; a test misses it otherwise."""

from __future__ import annotations

from typing import get_args

from algo.brokers import base
from algo.journal.codec import Codec
from algo.journal.records import Halted, HaltLifted, OrderOrigin, StrategyState, StreamPosition
from algo.market import Session
from algo.model import (
    Account,
    Attached,
    Bar,
    Board,
    BrokerEvent,
    Command,
    Fill,
    Instrument,
    Kind,
    Level,
    MarketEvent,
    OperationalEvent,
    OrderStatus,
    OrderType,
    Quote,
    RequestKind,
    RequestStatus,
    Side,
    TimeInForce,
    Trade,
    Trigger,
    TriggerKind,
)

ENUMS = (
    *(Account, Board, Kind, OrderStatus, OrderType, RequestKind, RequestStatus, Session, Side),
    *(TimeInForce, TriggerKind),
)
FACTS = (
    base.AccountSnapshot,
    base.Batch,
    base.BrokerCash,
    base.BrokerOrder,
    base.BrokerPosition,
    base.ForeignOrder,
    base.RateLimit,
    base.Snapshot,
    base.UnknownMessage,
)
TYPES: tuple[type, ...] = (
    *ENUMS,
    *(Instrument, Trigger, Attached, Level, Bar, Quote, Trade, Fill),
    *get_args(Command),
    *get_args(MarketEvent),
    *get_args(BrokerEvent),
    *get_args(OperationalEvent),
    *FACTS,
    *(OrderOrigin, Halted, HaltLifted, StrategyState, StreamPosition),
)

CODEC = Codec(TYPES)
