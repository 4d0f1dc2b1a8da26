"""The order life as one table: which step moves which status where.

A step that the table does not have for a status changes nothing; the manager records it. The table
has what the real world does: a fill before the acknowledgement, a fill after a cancel was
confirmed, a rejection after the order was working, an order that proves alive after it was given
up. The diagram in the docs is generated from it.
"""

from __future__ import annotations

from enum import StrEnum

from algo.model import OrderStatus as S


class Step(StrEnum):
    """What can happen to an order."""

    REFUSE = "refused by our checks"
    HOLD = "held to a later session"
    SUBMIT = "place request sent"
    ACCEPT = "accepted"
    WAIT = "accepted, waits for its trigger"
    TRIGGER = "triggered"
    FILL = "filled in part"
    COMPLETE = "filled"
    AMEND = "amended"
    CANCEL = "cancelled"
    EXPIRE = "expired"
    RENEW = "expired, placed anew next day"
    REJECT = "rejected"
    FAIL = "proven not received"


_LIVE = (S.SUBMITTED, S.WAITING, S.WORKING)
_OVER = (S.CANCELLED, S.EXPIRED, S.REJECTED, S.FAILED)

TRANSITIONS: dict[tuple[S, Step], S] = {
    (S.CREATED, Step.REFUSE): S.REFUSED,
    (S.CREATED, Step.HOLD): S.HELD,
    (S.CREATED, Step.SUBMIT): S.SUBMITTED,
    (S.CREATED, Step.CANCEL): S.CANCELLED,
    (S.HELD, Step.REFUSE): S.REFUSED,
    (S.HELD, Step.SUBMIT): S.SUBMITTED,
    (S.HELD, Step.CANCEL): S.CANCELLED,
    (S.HELD, Step.EXPIRE): S.EXPIRED,
    (S.HELD, Step.AMEND): S.HELD,
    (S.SUBMITTED, Step.ACCEPT): S.WORKING,
    (S.SUBMITTED, Step.WAIT): S.WAITING,
    (S.SUBMITTED, Step.TRIGGER): S.WORKING,
    (S.SUBMITTED, Step.FAIL): S.FAILED,
    (S.WAITING, Step.TRIGGER): S.WORKING,
    (S.WAITING, Step.ACCEPT): S.WORKING,
    (S.WAITING, Step.AMEND): S.WAITING,
    (S.WORKING, Step.ACCEPT): S.WORKING,
    (S.WORKING, Step.AMEND): S.WORKING,
    # Whatever is out there can fill, end, or be ended, whether or not it was acknowledged.
    **{(s, Step.FILL): S.WORKING for s in _LIVE},
    **{(s, Step.COMPLETE): S.FILLED for s in _LIVE},
    **{(s, Step.CANCEL): S.CANCELLED for s in _LIVE},
    **{(s, Step.EXPIRE): S.EXPIRED for s in _LIVE},
    **{(s, Step.RENEW): S.HELD for s in _LIVE},
    **{(s, Step.REJECT): S.REJECTED for s in _LIVE},
    # A fill that comes after the day's end of an order that is to be placed anew still counts.
    (S.HELD, Step.FILL): S.HELD,
    (S.HELD, Step.COMPLETE): S.FILLED,
    # A late fill counts, but does not bring an ended order back.
    **{(s, Step.FILL): s for s in _OVER},
    **{(s, Step.COMPLETE): S.FILLED for s in _OVER},
    # Given up as never received, then seen: it was alive all the time.
    (S.FAILED, Step.ACCEPT): S.WORKING,
    (S.FAILED, Step.WAIT): S.WAITING,
}


def after(status: S, step: Step) -> S | None:
    """The status after `step`, or None when the table does not have it."""
    return TRANSITIONS.get((status, step))


def diagram() -> str:
    """The table as a Mermaid state diagram, in a fixed order."""
    lines = ["stateDiagram-v2", "    [*] --> created"]
    for (status, step), target in TRANSITIONS.items():
        lines.append(f"    {status} --> {target}: {step}")
    lines += [f"    {status} --> [*]" for status in S if status.terminal]
    return "\n".join(lines)
