"""Which column of a table is which, by the names that brokers, exchanges and data sellers give them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from algo.errors import DataError

_NAMES: dict[str, str] = {
    "date": """date datetime timestamp tradingdate tradedate tradingtime tradingdatetime dtyyyymmdd ngay
        ngaygd ngaygiaodich thoidiem ngaygio datetimelocal""",
    "clock": "time gio giogd giogiaodich thoigian tradetime hhmmss timehhmmss hour period",
    "open": "open o openprice openingprice mocua giamocua mo giamo",
    "high": "high h highprice highestprice max caonhat giacaonhat cao giacao",
    "low": "low l lowprice lowestprice min thapnhat giathapnhat thap giathap",
    "close": """close c closeprice closingprice last lastprice price matchprice dongcua giadongcua dong
        giadong gia lancuoi giakhop""",
    "volume": """volume vol v totalvolume totalvol totalmatchvol totalmatchvolume matchvolume nmvolume
        khoiluong kl klgd kll khoiluonggd khoiluonggiaodich klkhop klkhoplenh khoiluongkhoplenh gdkhoplenh
        tongkhoiluong qty quantity""",
    "symbol": """symbol ticker tickersymbol stocksymbol stockcode instrumentid instrument contract
        contractcode code ma mack mackhoan machungkhoan mahopdong masanpham mahd stock""",
    "board": "board exchange market marketid san sangiaodich sangd comgroupcode",
}

ROLES: Mapping[str, tuple[str, ...]] = {role: tuple(names.split()) for role, names in _NAMES.items()}
"""For each role the names it is known by, the likeliest first, as `plain` spells them."""

REQUIRED = ("open", "high", "low", "close", "volume")


def plain(name: object) -> str:
    """A column name without case, spaces, punctuation and Vietnamese marks: "Giá mở cửa" is giamocua."""
    text = unicodedata.normalize("NFD", str(name).lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", text)


def recognise(
    names: Sequence[str], columns: Mapping[str, str] | None = None, source: str = "the data"
) -> dict[str, str]:
    """The column that plays each role (`ROLES`); `columns` says it for roles that cannot be recognised.

    A time column is there as `date`, as `clock` (a column called time may hold whole moments) or as
    both. Raises DataError when a role that a bar needs has no column, naming the columns there are.
    """
    found: dict[str, str] = {}
    spellings: dict[str, str] = {}
    for name in names:
        spellings.setdefault(plain(name), name)
    for role, name in (columns or {}).items():
        if role not in ROLES:
            raise DataError(
                f"unknown role {role!r} for a column; roles are {', '.join(ROLES)}{_near(role, ROLES)}"
            )
        if name not in names:
            raise DataError(f"{source} has no column {name!r}{_near(name, names)}; it has {_list(names)}")
        found[role] = name
    taken = set(found.values())
    for role, aliases in ROLES.items():
        if role in found:
            continue
        for alias in aliases:
            if alias in spellings and spellings[alias] not in taken:
                found[role] = spellings[alias]
                taken.add(spellings[alias])
                break
    missing = [role for role in REQUIRED if role not in found]
    if "date" not in found and "clock" not in found:
        missing.insert(0, "date")
    if missing:
        hint = f"--column {missing[0]}=NAME, or columns={{{missing[0]!r}: 'its name'}}"
        raise DataError(
            f"{source} has no column for {' and '.join(missing)}; it has {_list(names)}: name it with {hint}"
        )
    return found


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(str(name) or "(unnamed)" for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "") if names else "no columns"


def _near(name: str, names: object) -> str:
    close = (
        get_close_matches(str(name), [str(one) for one in names], 1)
        if isinstance(names, (Sequence, Mapping))
        else []
    )
    return f", did you mean {close[0]!r}?" if close else ""
