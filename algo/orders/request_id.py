"""The 8-digit request ids: two digits of strategy, five of a daily counter, one check digit.

The API wants a number of at most eight digits that is unique within the day. These carry their
owner, so that an order can be told to be probably ours even when the journal is lost.
"""

from __future__ import annotations

from algo.errors import ExhaustedError, SettingError

FIRST_SLOT, LAST_SLOT = 10, 99
PER_DAY = 100_000
KEPT = 1_000  # of the day's ids, for cancels alone

# Damm's quasigroup of order 10 (H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004): finds
# every single wrong digit and every swap of two neighbours.
_DAMM = tuple(
    dict(zip("0123456789", map(int, row), strict=True))
    for row in (
        "0317598642",
        "7092154863",
        "4206871359",
        "1750983426",
        "6123045978",
        "3674209581",
        "5869720134",
        "8945362017",
        "9438617205",
        "2581436790",
    )
)


def check_digit(digits: str) -> int:
    """The Damm check digit of a string of decimal digits."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][digit]
    return interim


def parse(request_id: str) -> tuple[int, int] | None:
    """(slot, counter) of an id of ours, None when it cannot be one."""
    if len(request_id) != 8 or not request_id.isascii() or not request_id.isdigit():
        return None
    slot = int(request_id[:2])
    if slot < FIRST_SLOT or check_digit(request_id) != 0:
        return None
    return slot, int(request_id[2:7])


class RequestIds:
    """Hands out one strategy's ids of a day, each once. `used` is the count already given today."""

    __slots__ = ("_prefix", "_slot", "used")

    def __init__(self, slot: int, used: int = 0) -> None:
        if not FIRST_SLOT <= slot <= LAST_SLOT:
            raise SettingError(f"a strategy's slot is {FIRST_SLOT} to {LAST_SLOT}, not {slot}")
        self._slot = slot
        self._prefix = check_digit(str(slot))  # the state from which the counter goes on
        self.used = used

    @property
    def spent(self) -> bool:
        """Whether nothing more should be placed or amended today; what is left is for cancels."""
        return self.used >= PER_DAY - KEPT

    def take(self) -> str:
        """The next id. Raises ExhaustedError when the day's are used up."""
        if self.used >= PER_DAY:
            raise ExhaustedError(f"strategy slot {self._slot} has used its {PER_DAY:,} requests of the day")
        counter = f"{self.used:05d}"
        self.used += 1
        interim = self._prefix
        for digit in counter:
            interim = _DAMM[interim][digit]
        return f"{self._slot}{counter}{interim}"

    def new_day(self) -> None:
        """Begin again from the first id."""
        self.used = 0
