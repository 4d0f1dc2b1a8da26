"""The market data service over HTTP: who asks and how often. What is answered is `market_api`'s."""

from __future__ import annotations

from dataclasses import replace

from algo.sandbox.answers import Denied, answer, refusal
from algo.sandbox.endpoints import BASE
from algo.sandbox.fields import Fields, bare
from algo.sandbox.identity import MARKET_DATA, Identity
from algo.sandbox.market_api import MarketApi
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import Quota
from algo.sandbox.trading_api import LARGEST_BODY, not_found, path_of, too_large, wrong_method
from algo.sandbox.world import World

ROOT = f"{BASE}market/"
_SIGN_IN = f"{ROOT}accesstoken"


class DataApi:
    """Answers every request below ``/api/v2/Market``. Its tokens are no good for trading, nor those here."""

    def __init__(self, world: World, identity: Identity, quota: Quota) -> None:
        self._market = MarketApi(world)
        self._identity = identity
        self._quota = quota

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to a request at wall-clock time `wall` (seconds since the epoch)."""
        path = path_of(request)
        if path != _SIGN_IN and not self._market.answers(path):
            return not_found()
        allowed = "POST" if path == _SIGN_IN else "GET"
        if request.method.upper() != allowed:
            return wrong_method(request, allowed)
        if len(request.body) > LARGEST_BODY:
            return too_large()
        try:
            return (
                self._sign_in(path, request, wall) if path == _SIGN_IN else self._query(path, request, wall)
            )
        except Denied as denied:
            return refusal(denied)

    def _query(self, path: str, request: Request, wall: float) -> Response:
        grant = self._identity.bearer(request.header("authorization"), wall, MARKET_DATA)
        over = self._quota.spend(grant.consumer.consumer_id, "get", path, wall)
        if over is not None:
            return over
        query = tuple((bare(name), value) for name, value in request.query)
        return self._market.handle(replace(request, path=path, query=query))

    def _sign_in(self, path: str, request: Request, wall: float) -> Response:
        fields = Fields.of_body(request.body)
        consumer_id = fields.needed("consumerid", "Consumer ID")
        secret = fields.needed("consumersecret", "Consumer Secret")
        if consumer_id in self._identity.consumers:
            over = self._quota.spend(consumer_id, "post", path, wall)
            if over is not None:
                return over
        return answer({"accessToken": self._identity.data_token(consumer_id, secret, wall)})
