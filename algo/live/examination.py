"""Measuring what `readiness` judges: files, disk, clock, certificates, broker, data. Sends no order."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import ssl
import stat
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from algo.brokers.fctrading.connection import Connection
from algo.brokers.fctrading.credentials import Credentials
from algo.clock import HO_CHI_MINH
from algo.data.fastconnect.client import DataClient
from algo.errors import AlgoError, BrokerError
from algo.fastconnect.addresses import is_loopback
from algo.fastconnect.transport import describe, open_client
from algo.journal import Records, fingerprint, verify
from algo.journal.lock import holder
from algo.live import readiness
from algo.live.core import front
from algo.live.latch import Latch
from algo.live.readiness import Finding
from algo.market import VIETNAM

if TYPE_CHECKING:
    from algo.config import LiveSettings

SYNCS = 5
PATIENCE = 10.0


def local_findings(
    settings: LiveSettings, journal: Path, day: date, strategies: Sequence[str], *, live: bool
) -> list[Finding]:
    """What this machine alone tells."""
    folder = journal.absolute().parent
    free, seconds, problem = _disk(folder)
    channels = [one.name for one in settings.alerts.channels(lambda _line: None)]
    return [
        readiness.trading_day(day, VIETNAM),
        readiness.limits(settings.missing_limits(*strategies), live=live),
        *readiness.disk(str(folder), free, seconds, problem),
        readiness.latch(Latch(journal).reason()),
        readiness.alerts(channels),
    ]


def journal_finding(journal: Path, credentials: Credentials | None) -> Finding:
    """The journal: whole, ours, and free."""
    held = holder(journal)
    if not journal.exists():
        return readiness.journal(journal.name, None, "", held, other_account=False)
    rows, problem, other = 0, "", False
    try:
        with Records.open(journal) as records:
            # The note of a writer that goes on may be ahead of what was read.
            rows = verify(records, None if held else records.noted()).seq
            if credentials is not None:
                import json

                mine = fingerprint(credentials.accounts.equity, credentials.accounts.derivatives)
                other = json.loads(records.meta().get("identity", "{}")).get("account") != mine
    except AlgoError as error:
        problem = str(error)
    return readiness.journal(journal.name, rows, problem, held, other_account=other)


def mode_of(path: Path | None) -> int | None:
    """The permissions of a file, None when there is none or the system has none."""
    if path is None or os.name != "posix":
        return None
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


async def remote_findings(
    credentials: Credentials, tokens: Path, symbols: Iterable[str], day: date, token_life: float
) -> list[Finding]:
    """What the broker and the data service tell. Signs in for reading at most."""
    found = [readiness.key(credentials.key.bits)]
    where = credentials.endpoints
    async with Connection(credentials, tokens=tokens) as connection:
        session = connection.session
        found.append(
            readiness.sign_in(
                session.state.value, session.left, str(credentials.two_factor),
                pin_kept=credentials.pin is not None, needed=token_life,
            )
        )  # fmt: skip
        hosts = {
            urlsplit(url).netloc: url
            for url in (where.url, where.stream_url, where.data_url, where.data_stream_url)
        }
        checks = await asyncio.gather(
            *(_certificate(url, connection.context) for url in hosts.values()),
            _clock(connection.client, where.url),
            _rate_limits(connection),
        )
        found += checks
        found += await _data(credentials, connection.context, symbols, day)
    return found


async def _clock(client: httpx.AsyncClient, url: str) -> Finding:
    before = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await client.get(url)
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        return readiness.unreachable("clock", f"the broker gave no answer: {describe(error)}")
    trip, ours = time.monotonic() - before, time.time()
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return Finding("clock", readiness.WARN, "the broker's answer has no date", "compare it by hand")
    return readiness.clock(ours - trip / 2, theirs, trip)


async def _certificate(url: str, context: ssl.SSLContext) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    now = datetime.now(UTC)
    if parts.scheme == "http" and is_loopback(host):
        return readiness.certificate(host, "", None, now)
    try:
        problem, ends = "", await asyncio.wait_for(asyncio.to_thread(_ends, host, port, context), PATIENCE)
    except ssl.SSLCertVerificationError as error:
        problem, ends = f"does not verify: {error.verify_message}", None
    except (OSError, TimeoutError) as error:
        problem, ends = f"no connection: {getattr(error, 'strerror', None) or type(error).__name__}", None
    return readiness.certificate(host, problem, ends, now)


def _ends(host: str, port: int, context: ssl.SSLContext) -> datetime:
    with (
        socket.create_connection((host, port), timeout=PATIENCE) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        told = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)


async def _rate_limits(connection: Connection) -> Finding:
    try:
        async with asyncio.timeout(3 * PATIENCE):
            rules = await connection.api.rate_limit()
    except (BrokerError, TimeoutError) as error:
        return readiness.unreachable("broker", str(error) or "no answer")
    return readiness.rate_limits([(one.pattern, one.period, one.limit) for one in rules])


async def _data(
    credentials: Credentials, context: ssl.SSLContext, symbols: Iterable[str], day: date
) -> list[Finding]:
    client = DataClient(
        open_client(credentials.endpoints.data_url, context),
        credentials.consumer_id,
        credentials.consumer_secret,
        wall=time.time_ns,
        random=random.random,
    )
    found: dict[str, tuple[float, float, float] | None] = {}
    try:
        async with asyncio.timeout(6 * PATIENCE):
            await client.token()
            for symbol in symbols:
                code = front(symbol.strip().upper(), day).symbol
                rows = await client.day_prices(code, day, day)
                row = next((one for one in rows if one.day == day), None)
                if row is None or row.floor is None or row.reference is None or row.ceiling is None:
                    found[code] = None
                else:
                    found[code] = (row.floor, row.reference, row.ceiling)
    except (AlgoError, TimeoutError) as error:
        return [readiness.unreachable("data service", str(error) or "no answer")]
    finally:
        await client.close()
    answers = Finding("data service", readiness.PASS, "signs in and answers")
    return [answers, *readiness.market_data(found, day)]


def _disk(folder: Path) -> tuple[int | None, float | None, str]:
    """Bytes free, seconds for a durable write (the middle one of a few), and what is wrong."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        times = []
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".algo-doctor-") as file:
            for _ in range(SYNCS):
                file.write(bytes(4096))
                file.flush()
                begun = time.perf_counter()
                os.fsync(file.fileno())
                times.append(time.perf_counter() - begun)
    except OSError as error:
        return None, None, f"{folder} cannot be written: {error.strerror or type(error).__name__}"
    return free, statistics.median(times), ""


def today() -> date:
    """The market's day by the machine's clock."""
    return datetime.now(HO_CHI_MINH).date()
