"""Reading the stream's events from the hub's texts, quickly. Pure.

The hub sends a JSON text ``{"type": …, "data": {…}}``. Names are read in any case; what cannot be read
becomes an `UnknownEvent` with its text and the reason.
"""

from __future__ import annotations

from typing import Any

from algo.brokers.fctrading import forms
from algo.brokers.fctrading.events import (
    ConditionalEvent,
    Holding,
    MatchEvent,
    OrderErrorEvent,
    OrderEvent,
    PortfolioEvent,
    Raw,
    RawText,
    StreamEvent,
    UnknownEvent,
)
from algo.brokers.fctrading.forms import Form, Strict, Unreadable
from algo.fastconnect.wire import parse_json, whole


class EventDecoder:
    """Turns the hub's texts into events. It keeps only what it learned about the shapes of messages."""

    def __init__(self) -> None:
        self._strange: list[str] = []
        self._strict = Strict(orderEvent=forms.ORDER, orderMatchEvent=forms.MATCH)
        self._order = Form("orderEvent", forms.ORDER, self._strange)
        self._error = Form("orderError", forms.ERROR, self._strange)
        self._match = Form("orderMatchEvent", forms.MATCH, self._strange)
        self._conditional = Form("fcoEvent", forms.CONDITIONAL, self._strange)
        self._holding = Form("clientPortfolio", forms.HOLDING, self._strange)

    @property
    def news(self) -> bool:
        """Whether fields have come that nothing is known about and that `told` has not named yet."""
        return bool(self._strange)

    def told(self) -> list[str]:
        """Those fields, as ``orderEvent.name``, once."""
        found = sorted(self._strange)
        self._strange.clear()
        return found

    def decode(self, text: Any) -> StreamEvent:
        """The event in `text`, the one argument of the hub's Broadcast. Never raises."""
        if isinstance(text, str):
            strict = self._strict.read(text)
            if strict is not None:
                name, values = strict
                values.append(RawText(text))
                return OrderEvent._make(values) if name == "orderEvent" else MatchEvent._make(values)
        try:
            found = parse_json(text) if isinstance(text, str) else text
        except ValueError:
            return UnknownEvent(0, "", "it is no JSON", _shown(text))
        if not isinstance(found, dict):
            return UnknownEvent(0, "", "it is no JSON object", _shown(text))
        kind, raw = found.get("type"), found.get("data")
        if not isinstance(kind, str) or not isinstance(raw, dict):
            found = {str(key).lower(): value for key, value in found.items()}
            kind, raw = found.get("type"), found.get("data")
        if not isinstance(kind, str) or not isinstance(raw, dict):
            return UnknownEvent(0, str(kind or ""), "it has no type or no data", _shown(text))
        try:
            return self._event(kind, raw) or UnknownEvent(
                notify_id(raw), kind, "its type is not known", _shown(text)
            )
        except Unreadable as error:
            return UnknownEvent(notify_id(raw), kind, str(error), _shown(text))

    def _event(self, kind: str, raw: Raw) -> StreamEvent | None:
        low = kind.lower()
        if low == "orderevent":
            return OrderEvent._make((*self._order.read(raw), raw))
        if low == "ordermatchevent":
            return MatchEvent._make((*self._match.read(raw), raw))
        if low == "ordererror":
            return OrderErrorEvent._make((*self._error.read(raw), raw))
        if low == "clientportfolioevent":
            return self._portfolio(raw)
        if low == "fcoevent":
            return ConditionalEvent._make((*self._conditional.read(raw), raw))
        return None

    def _portfolio(self, raw: Raw) -> PortfolioEvent:
        fields = {str(key).lower(): value for key, value in raw.items()}
        return PortfolioEvent(
            forms.count(fields.get("notifyid")),
            forms.text(fields.get("account")),
            self._holdings(fields.get("clientportfoliosopen")),
            self._holdings(fields.get("clientportfoliosclose")),
            raw,
        )

    def _holdings(self, given: Any) -> tuple[Holding, ...]:
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            raise Unreadable("a list of holdings")
        return tuple(Holding._make(self._holding.read(item)) for item in given)


def notify_id(raw: Raw) -> int:
    """The id of any event's data, 0 when it has none that makes sense."""
    for key, value in raw.items():
        if key.lower() == "notifyid":
            return whole(value) or 0
    return 0


def _shown(text: Any) -> str:
    return text if isinstance(text, str) else repr(text)
