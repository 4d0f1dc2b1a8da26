"""The trading service over HTTP: which endpoint, who asks, may they, how often; then what was asked for.

Sign-in is not signed and takes no token; whatever changes something is signed over the bytes as they came;
queries need a token alone. Headers that a call does not need are not looked at: an official client leaves old
ones on every call.
"""

from __future__ import annotations

import re

from algo.brokers.paper.statements import Refused
from algo.sandbox.answers import Denied, answer, done, refusal, text
from algo.sandbox.endpoints import Kind, Route, routes
from algo.sandbox.fields import Fields
from algo.sandbox.identity import TRADING, Consumer, Grant, Identity, Scope
from algo.sandbox.messages import Request, Response
from algo.sandbox.quota import Quota
from algo.sandbox.transfers import Transfers
from algo.sandbox.world import World

LARGEST_BODY = 64 * 1024
"""Bytes of a request's body. Orders have less than one thousand."""


def path_of(request: Request) -> str:
    """A request's path in lower case, with the slashes that clients double made single."""
    return re.sub("//+", "/", request.path).lower()


class TradingApi:
    """Answers every request below ``/api/v2`` that is about trading. Never raises for what a client sends."""

    def __init__(self, world: World, identity: Identity, quota: Quota) -> None:
        self.world = world
        self.identity = identity
        self.quota = quota
        self._routes = routes(Transfers())

    def handle(self, request: Request, wall: float) -> Response:
        """The answer to a request at wall-clock time `wall` (seconds since the epoch)."""
        path = path_of(request)
        route = self._routes.get(path)
        if route is None:
            return not_found()
        if request.method.upper() != route.method:
            return wrong_method(request, route.method)
        if len(request.body) > LARGEST_BODY:
            return too_large()
        try:
            if route.kind is Kind.SIGN_IN:
                return self._sign_in(path, request, wall)
            grant = self._grant(request, wall)
            if route.kind is Kind.QUERY:
                return self._query(route, path, request, grant.consumer, wall)
            return self._change(route, path, request, grant, wall)
        except Denied as denied:
            return refusal(denied)
        except Refused as refused:
            words = f"{refused.code} {refused}" if refused.code else str(refused)
            return refusal(Denied(words))

    def _grant(self, request: Request, wall: float) -> Grant:
        return self.identity.bearer(request.header("authorization"), wall, TRADING)

    def _query(self, route: Route, path: str, request: Request, consumer: Consumer, wall: float) -> Response:
        fields = Fields(request.query)
        account = "" if route.handler is None else _account(fields, consumer)
        over = self.quota.spend(account or consumer.consumer_id, "get", path, wall)
        if over is not None:
            return over
        return answer(
            self.quota.told() if route.handler is None else route.handler(self.world, fields, account)
        )

    def _change(self, route: Route, path: str, request: Request, grant: Grant, wall: float) -> Response:
        consumer = grant.consumer
        signature = request.header("x-signature") or request.header("x-singature")
        if not self.identity.signed(consumer, request.body, signature):
            raise Denied("Signature is invalid")
        fields = Fields.of_body(request.body)
        account = _account(fields, consumer)
        over = self.quota.spend(account, "post", path, wall)
        if over is not None:
            return over
        if grant.scope is not Scope.WRITE:
            self.identity.check_code(consumer, fields.text("code"), wall)
        assert route.handler is not None
        return answer(route.handler(self.world, fields, account))

    def _sign_in(self, path: str, request: Request, wall: float) -> Response:
        fields = Fields.of_body(request.body)
        if path.endswith("/verifycode"):
            grant = self._grant(request, wall)
            return text(self.identity.verified(grant, fields.text("code"), wall))
        consumer_id = fields.needed("consumerid", "Consumer ID")
        secret = fields.needed("consumersecret", "Consumer Secret")
        if consumer_id in self.identity.consumers:
            over = self.quota.spend(consumer_id, "post", path, wall)
            if over is not None:
                return over
        if path.endswith("/getotp"):
            self.identity.send_code(consumer_id, secret, wall)
            return done()
        factor, code = fields.text("twofactortype"), fields.text("code")
        token = self.identity.sign_in(
            consumer_id, secret, factor, code, save=fields.flag("issave"), wall=wall
        )
        return answer({"accessToken": token})


def _account(fields: Fields, consumer: Consumer) -> str:
    """The account that a call names; it must be the consumer's own."""
    account = fields.needed("account", "Account").upper()
    if account not in consumer.accounts:
        raise Denied("Account is not exist.")
    return account


def not_found() -> Response:
    """The answer to a path that is none."""
    return refusal(Denied("No HTTP resource was found that matches the request URI.", 404, 404))


def wrong_method(request: Request, allowed: str) -> Response:
    """The answer to a method that a path does not take."""
    words = f"The requested resource does not support http method '{request.method[:20]}'."
    found = refusal(Denied(words, 405, 405))
    return Response(405, found.body, found.content_type, (("Allow", allowed),))


def too_large() -> Response:
    """The answer to a body that no request has."""
    return refusal(Denied("Request Entity Too Large", 413, 413))
