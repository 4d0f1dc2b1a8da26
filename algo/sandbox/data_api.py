"""The market data service over HTTP: who asks and how often. What is answered is another's affair."""

from __future__ import annotations

from collections.abc import Callable

from algo.sandbox.answers import Denied, answer, refusal
from algo.sandbox.fields import Fields
from algo.sandbox.identity import MARKET_DATA, Identity
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import Quota
from algo.sandbox.trading_api import LARGEST_BODY, path_of, too_large, wrong_method
from algo.sandbox.world import World

ROOT = "/api/v2/market/"
_SIGN_IN = f"{ROOT}accesstoken"


class DataApi:
    """Answers every request below ``/api/v2/Market``. Its tokens are no good for trading, nor those here."""

    def __init__(
        self,
        world: World,
        identity: Identity,
        quota: Quota,
        answers: Callable[[World, Request], Response],
    ) -> None:
        self.world = world
        self.identity = identity
        self.quota = quota
        self._answers = answers

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to a request at wall-clock time `wall` (seconds since the epoch)."""
        path = path_of(request)
        allowed = "POST" if path == _SIGN_IN else "GET"
        if request.method.upper() != allowed:
            return wrong_method(request, allowed)
        if len(request.body) > LARGEST_BODY:
            return too_large()
        try:
            if path == _SIGN_IN:
                return self._sign_in(path, request, wall)
            grant = self.identity.bearer(request.header("authorization"), wall, MARKET_DATA)
            over = self.quota.spend(grant.consumer.consumer_id, "get", path, wall)
            return over or self._answers(self.world, request)
        except Denied as denied:
            return refusal(denied)

    def _sign_in(self, path: str, request: Request, wall: float) -> Response:
        fields = Fields.of_body(request.body)
        consumer_id = fields.needed("consumerid", "Consumer ID")
        secret = fields.needed("consumersecret", "Consumer Secret")
        if consumer_id in self.identity.consumers:
            over = self.quota.spend(consumer_id, "post", path, wall)
            if over is not None:
                return over
        return answer({"accessToken": self.identity.data_token(consumer_id, secret, wall)})
