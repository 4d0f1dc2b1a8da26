"""Which symbol, contract and board each row of a table belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import pairwise

import numpy as np
import pyarrow as pa

from algo.data.continuous import ALIAS
from algo.data.faults import Rows
from algo.data.series import Ints
from algo.data.tables import labels
from algo.errors import DataError
from algo.market import is_alias, is_contract
from algo.model import Board

_WORDS = frozenset(
    ("ADJ", "ALL", "BAR", "CSV", "DAY", "END", "MIN", "NEW", "OLD", "OUT", "RAW", "TXT", "VND")
)


def symbol_in(name: str) -> str:
    """The symbol that a file name carries: ``vn30f1m_15m_2018`` -> VN30F1M; empty when it has none."""
    text = name.upper()
    if found := re.search(r"VN30F(?:[12][MQ]|\d{4})|41I1[A-Z][1-9A-C]000|E1VFVN30|FUE[A-Z0-9]{5}", text):
        return found[0]
    tokens = re.split(r"[^A-Z0-9]+", text)
    for token in tokens:
        if re.fullmatch(r"[A-Z][A-Z0-9]{2}|C[A-Z]{3}\d{4}", token) and token not in _WORDS:
            return token
    return ALIAS if any(token.startswith("VN30F") for token in tokens) else ""


def groups_of(
    rows: Rows, table: pa.Table, roles: Mapping[str, str], source: str, wanted: str | None, named: str
) -> list[tuple[str, Rows]]:
    """The symbols in a table and the rows of each; contracts that follow one another are one symbol."""
    if "symbol" not in roles:
        if not (wanted or named):
            raise DataError(f"{source}: cannot tell the symbol; give it, for example symbol='FPT'")
        return [(wanted or named, rows)]
    which, names = labels(table.column(roles["symbol"]))
    if "" in names or (which < 0).any():
        missing = int(rows.row[(which < 0) | (which == (names.index("") if "" in names else -1))][0])
        raise DataError(
            f"{source}: row {missing:,} has no symbol in the column {roles['symbol']!r}; fill it in"
        )
    if len(names) == 1 and not is_contract(names[0]):
        return [(wanted or names[0], rows)]
    if wanted in names:
        return [(wanted, rows.take(which == names.index(wanted)))]
    contracts = [number for number, name in enumerate(names) if is_contract(name)]
    shares = [number for number in range(len(names)) if number not in contracts]
    if wanted:
        if not (contracts and is_alias(wanted)):
            near = get_close_matches(wanted, names, 1)
            hint = f", did you mean {near[0]}?" if near else f"; it has {', '.join(names[:12])}"
            raise DataError(f"{source} has no rows for {wanted}{hint}")
        shares = []
    groups = [(names[number], rows.take(which == number)) for number in shares]
    alias = wanted or (named if is_alias(named) else ALIAS)
    if len(contracts) > 1 or (contracts and is_alias(wanted or named)):
        members = rows if not shares else rows.take(np.isin(which, contracts))
        codes = which if not shares else which[np.isin(which, contracts)]
        if _in_sequence(members.time, codes):
            members.contract = np.array(names, dtype=object)[codes]
            return [*groups, (alias, members)]
    return groups + [(names[number], rows.take(which == number)) for number in contracts]


def _in_sequence(times: Ints, codes: Ints) -> bool:
    """Whether each contract's rows lie wholly before or after those of every other."""
    spans = sorted(
        (int(times[codes == code].min()), int(times[codes == code].max())) for code in np.unique(codes)
    )
    return all(first[1] < second[0] for first, second in pairwise(spans))


def boards_of(table: pa.Table, roles: Mapping[str, str]) -> dict[str, Board]:
    """The board of each symbol where a column tells it."""
    if "board" not in roles or "symbol" not in roles:
        return {}
    which, names = labels(table.column(roles["symbol"]))
    on, boards = labels(table.column(roles["board"]))
    pairs = {(names[a], boards[b]) for a, b in np.unique(np.stack([which, on], axis=1), axis=0).tolist()}
    return {name: found for name, board in pairs if (found := board_named(board))}


def board_named(text: str) -> Board | None:
    name = {"HSX": "HOSE", "HCM": "HOSE", "DER": "DERIVATIVES", "PS": "DERIVATIVES"}.get(
        text.strip().upper(), text
    )
    return next((board for board in Board if board == name.strip().upper()), None)
