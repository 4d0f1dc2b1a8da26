"""The whole server as functions of requests and given times: no sockets, no clock. A shell serves it.

Market time is the world's; `wall` is real time in seconds since the epoch, for tokens, quotas and
keep-alives. What a request causes is told on streams by the next `publish`. Given the same calls in the same
order, it gives the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable

from algo.brokers.paper.statements import Statement
from algo.sandbox.hub_connection import MOST_WAITING, Connection
from algo.sandbox.identity import Identity
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import TRADING_RULES, Quota, RateRule
from algo.sandbox.signalr_server import BASE, SignalRServer
from algo.sandbox.trading_api import TradingApi, path_of
from algo.sandbox.trading_hub import TradingHub
from algo.sandbox.world import World


class Service:
    """Both services. `rules` limit each account; a reader that leaves `most_waiting` frames is cut off."""

    def __init__(
        self,
        world: World,
        identity: Identity,
        *,
        seed: int = 0,
        rules: Iterable[RateRule] = TRADING_RULES,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.world = world
        self.identity = identity
        self.quota = Quota(rules)
        self.trading = TradingHub(world, identity, seed=seed)
        self._api = TradingApi(world, identity, self.quota)
        self._hubs = SignalRServer([self.trading], identity, seed=seed, most_waiting=most_waiting)

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to any HTTP request. Never raises for what a client sends."""
        if path_of(request).startswith(f"{BASE}/"):
            return self._hubs.handle(request, wall)
        return self._api.handle(request, wall)

    def connect(self, request: Request, wall: float) -> Connection | Response:
        """A WebSocket upgrade: the connection, or the answer that is given instead of one."""
        if not path_of(request).startswith(f"{BASE}/"):
            return self.handle(request, wall)
        return self._hubs.connect(request, wall)

    def publish(self) -> None:
        """Tell the streams what has happened since the last call."""
        statements = [said for said in self.world.take() if isinstance(said, Statement)]
        if statements:
            self.trading.tell(statements)

    def keep_alive(self, wall: float) -> None:
        """Call about once a second: connections that were silent for 10 s are told that they live."""
        self._hubs.keep_alive(wall)
