"""Whether a run may start: what was measured in, one finding a check out. Pure; `examination` measures.

A finding says what was found and, unless it passed, what to do. What fails would cost money or stop the run
during the day; what warns is for a person to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from algo.market import TradingCalendar

PASS, WARN, FAIL = "pass", "warn", "fail"

CLOCK_WARN, CLOCK_FAIL = 3.0, 60.0
"""Seconds by which the machine's clock may differ from the broker's; its header has whole seconds."""
CERTIFICATE_DAYS = 14
SPACE_WARN, SPACE_FAIL = 1_000_000_000, 100_000_000
"""Bytes: a day of market data for fifty symbols needs a few hundred million."""
SYNC_WARN = 0.05
"""Seconds for one fsync: each order waits for one."""
SMALL_KEY = 1024


class Finding(NamedTuple):
    """What one check found. `verdict` is pass, warn or fail."""

    name: str
    verdict: str
    found: str
    advice: str = ""


def failed(findings: Iterable[Finding]) -> bool:
    """Whether any of them stands in the way of a start."""
    return any(one.verdict == FAIL for one in findings)


def clock(ours: float, theirs: float, trip: float) -> Finding:
    """`ours` and `theirs` are seconds since the epoch at one moment; `trip` is how long it took to ask."""
    # The header names whole seconds: on average half a second ago.
    off = ours - (theirs + 0.5)
    doubt = 0.5 + trip / 2
    text = f"{abs(off):.1f} s {'ahead of' if off > 0 else 'behind'} the broker's (±{doubt:.1f} s)"
    advice = "set the machine's clock, by NTP for example: sessions and token life go by it"
    if abs(off) - doubt >= CLOCK_FAIL:
        return Finding("clock", FAIL, text, advice)
    if abs(off) - doubt >= CLOCK_WARN:
        return Finding("clock", WARN, text, advice)
    return Finding("clock", PASS, text)


def certificate(host: str, problem: str, ends: datetime | None, now: datetime) -> Finding:
    """A server's certificate: `problem` is why it does not verify, '' when it does."""
    name = f"certificate of {host}"
    if problem:
        return Finding(name, FAIL, problem, "nothing is sent to it: ask the broker, or mend ca_file")
    if ends is None:
        return Finding(name, PASS, "none is needed: this machine only")
    days = (ends - now).days
    if days < CERTIFICATE_DAYS:
        advice = "it is renewed by the broker: look again tomorrow"
        return Finding(name, WARN, f"verifies; ends in {days} days", advice)
    return Finding(name, PASS, f"verifies; {days} days left")


def key(bits: int) -> Finding:
    """The signing key, which parsed and signed for itself already."""
    return Finding(
        "signing key", PASS, f"{bits} bits, signs and verifies; the broker checks it with an order"
    )


def file_mode(name: str, path: str, mode: int | None, *, secret: bool = True) -> Finding:
    """The permissions of a file; None when there is none."""
    if mode is None:
        return Finding(name, PASS, f"no {path}")
    text = f"{path} has mode {mode:04o}"
    if secret and mode & 0o077:
        return Finding(name, FAIL, text, f"chmod 600 {path}")
    return Finding(name, PASS, text)


def sign_in(state: str, seconds_left: float, two_factor: str, *, pin_kept: bool, needed: float) -> Finding:
    """The kept sign-in. `needed` is the token life in seconds below which nothing is entered."""
    hours, minutes = divmod(max(0, round(seconds_left)) // 60, 60)
    if seconds_left >= needed and state in ("trading", "expiring"):
        return Finding("sign-in", PASS, f"{state}, {hours} h {minutes:02} min left, by {two_factor}")
    if pin_kept:
        return Finding("sign-in", PASS, f"{state}; the kept PIN signs in by itself")
    advice = "algo login, or give the code when the run asks for it"
    if two_factor == "otp":
        advice += "; the broker sends it by SMS or e-mail then"
    return Finding("sign-in", WARN, f"{state}, by {two_factor}", advice)


def rate_limits(rules: Sequence[tuple[str, float, int]]) -> Finding:
    """The broker's rules as (calls, seconds, at most)."""
    if not rules:
        advice = "orders are paced to 5 a second until the broker says more"
        return Finding("rate limits", WARN, "the broker names none", advice)
    told = ", ".join(f"{calls} in {seconds:g} s to {pattern}" for pattern, seconds, calls in rules)
    return Finding("rate limits", PASS, told)


def market_data(limits: Mapping[str, tuple[float, float, float] | None], day: date) -> list[Finding]:
    """Floor, reference and ceiling of `day` by symbol, None where the service does not tell them yet."""
    found = []
    for symbol, prices in limits.items():
        name = f"prices of {symbol}"
        if prices is None:
            advice = "they come with the open; nothing is entered without a price"
            found.append(Finding(name, WARN, f"no limits of {day:%d/%m/%Y} are told yet", advice))
            continue
        floor, reference, ceiling = prices
        text = f"{floor:,g} to {ceiling:,g} about {reference:,g}"
        if not 0 < floor <= reference <= ceiling:
            found.append(Finding(name, FAIL, text, "the data service tells nonsense: do not trade it today"))
        else:
            found.append(Finding(name, PASS, text))
    return found


def disk(folder: str, free: int | None, seconds: float | None, problem: str) -> list[Finding]:
    """Space and durability where the journal lies; `seconds` is what one write to the disk took."""
    if problem or free is None or seconds is None:
        return [Finding("disk", FAIL, problem or "cannot be measured", f"make {folder} writable")]
    space = f"{free / 1e9:,.1f} GB free in {folder}"
    if free < SPACE_FAIL:
        found = [Finding("disk", FAIL, space, "free some: nothing is sent that cannot be recorded")]
    elif free < SPACE_WARN:
        found = [Finding("disk", WARN, space, "free some before the day fills it")]
    else:
        found = [Finding("disk", PASS, space)]
    took = f"{seconds * 1e3:.1f} ms to make a write durable"
    slow = seconds > SYNC_WARN
    advice = "each order waits for it: use a local disk" if slow else ""
    return [*found, Finding("fsync", WARN if slow else PASS, took, advice)]


def journal(name: str, rows: int | None, problem: str, holder: str, *, other_account: bool) -> Finding:
    """The journal: how many rows, what is wrong with it, and which process writes it."""
    if problem:
        return Finding("journal", FAIL, problem, f"algo journal check {name}")
    if other_account:
        advice = "name the journal of these accounts, or another file for a new one"
        return Finding("journal", FAIL, f"{name} is of other accounts", advice)
    if holder:
        return Finding(
            "journal", WARN, f"{name} is in use by process {holder}", "a run is going on: one is enough"
        )
    if rows is None:
        return Finding("journal", PASS, f"{name} will be made")
    return Finding("journal", PASS, f"{name} is whole, {rows:,} rows")


def latch(reason: str) -> Finding:
    """The kill switch."""
    if reason:
        return Finding("kill switch", FAIL, f"latched: {reason}", "algo resume, when you mean it")
    return Finding("kill switch", PASS, "not latched")


def trading_day(day: date, calendar: TradingCalendar) -> Finding:
    """Whether `day` trades, and whether anybody knows."""
    opens = calendar.is_trading_day(day)
    guess = calendar.is_guess(day)
    text = f"{day:%A %d/%m/%Y} {'is a trading day' if opens else 'does not trade'}"
    if guess:
        advice = "ask the exchange's notice of its holidays, then start with --assume-open"
        return Finding("calendar", FAIL, f"{text}, but that is a guess", advice)
    if not opens:
        following = calendar.next_trading_day(day)
        return Finding("calendar", WARN, text, f"the next one is {following:%A %d/%m/%Y}")
    return Finding("calendar", PASS, text)


def limits(missing: Sequence[str], *, live: bool) -> Finding:
    """Limits that are not set: live does not start without."""
    if not missing:
        return Finding("limits", PASS, "order quantity and value, position, daily loss are set")
    advice = "set them under [limits]: docs/live.md"
    return Finding("limits", FAIL if live else WARN, f"not set: {', '.join(missing)}", advice)


def accounts(numbers: Sequence[str], named: Sequence[str], *, live: bool) -> Finding:
    """Live trades in accounts that the settings name."""
    unnamed = [one for one in numbers if one not in named]
    if live and unnamed:
        advice = "write accounts = [...] in the settings to say that you mean it"
        return Finding("accounts", FAIL, f"not confirmed by name: {', '.join(unnamed)}", advice)
    return Finding("accounts", PASS, ", ".join(numbers))


def alerts(channels: Sequence[str]) -> Finding:
    """Where halts and alarms go."""
    away = [one for one in channels if one not in ("terminal", "log")]
    if away:
        return Finding("alerts", PASS, ", ".join(channels))
    advice = "add [alerts.telegram], [alerts.email] or [alerts.webhook]: nobody watches a terminal all day"
    return Finding("alerts", WARN, ", ".join(channels) or "none", advice)


def unreachable(name: str, reason: str) -> Finding:
    """A service that gave no answer, or refused."""
    return Finding(name, FAIL, reason, "look at the network, the addresses and the credentials")
