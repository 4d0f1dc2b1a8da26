"""The whole server as functions of requests and given times: no sockets, no clock. A shell serves it.

Market time is the world's; `wall` is real time in seconds since the epoch, for tokens, quotas and
keep-alives. What a request causes is told on streams by the next `publish`. Given the same calls in the same
order, it gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from algo.brokers.paper.statements import Statement
from algo.sandbox.data_api import ROOT, DataApi
from algo.sandbox.hub_connection import MOST_WAITING, Connection
from algo.sandbox.identity import Identity
from algo.sandbox.market_hub import MarketHub
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import DATA_RULES, TRADING_RULES, Quota, RateRule
from algo.sandbox.signalr_server import BASE, SignalRServer
from algo.sandbox.tape import Public
from algo.sandbox.trading_api import TradingApi, path_of
from algo.sandbox.trading_hub import TradingHub
from algo.sandbox.world import World


class Service:
    """Trading and market data of one world.

    `rules` limit each trading account, `data_rules` each key for market data; `quota` and `data_quota` take
    others later. A reader of a stream that leaves `most_waiting` frames is cut off.
    """

    def __init__(
        self,
        world: World,
        identity: Identity,
        *,
        seed: int = 0,
        rules: Iterable[RateRule] = TRADING_RULES,
        data_rules: Iterable[RateRule] = DATA_RULES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.world = world
        self.identity = identity
        self.quota = Quota(rules)
        self.data_quota = Quota(data_rules)
        self.trading = TradingHub(world, identity, seed=seed)
        self.market = MarketHub(world.tape)
        self._trading_api = TradingApi(world, identity, self.quota)
        self._data_api = DataApi(world, identity, self.data_quota)
        hubs = (self.trading, self.market)
        self._streams = SignalRServer(hubs, identity, seed=seed, most_waiting=most_waiting)
        self.on_statements: Callable[[list[Statement]], object] = lambda _statements: None
        """Called with what customers are told, for a console to show it."""

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to any HTTP request. Never raises for what a client sends."""
        path = path_of(request)
        if path.startswith(f"{BASE}/"):
            self.publish()
            return self._streams.handle(request, wall)
        if path.startswith(ROOT):
            return self._data_api.handle(request, wall)
        return self._trading_api.handle(request, wall)

    def connect(self, request: Request, wall: float) -> Connection | Response:
        """A WebSocket upgrade: the connection, or the answer that is given instead of one."""
        if not path_of(request).startswith(f"{BASE}/"):
            return self.handle(request, wall)
        # What happened before somebody came belongs to the replay, and to the day on which it happened.
        self.publish()
        return self._streams.connect(request, wall)

    def publish(self) -> None:
        """Tell the streams what has happened since the last call, each person first and then everybody."""
        statements: list[Statement] = []
        public: list[Public] = []
        for said in self.world.take():
            if isinstance(said, Statement):
                statements.append(said)
            else:
                public.append(said)
        if statements:
            self.trading.tell(statements)
            self.on_statements(statements)
        if public:
            self.market.tell(public)

    def keep_alive(self, wall: float) -> None:
        """Call about once a second: connections that were silent for 10 s are told that they live."""
        self._streams.keep_alive(wall)
