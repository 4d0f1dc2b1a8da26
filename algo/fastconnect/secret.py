"""A string that must not be shown: passwords, keys, codes and tokens."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn

_HIDDEN = "<secret>"


class Secret:
    """Holds a string that appears nowhere by accident: not in repr, str, format, pickle or JSON.

    Only `reveal` gives the string away, so that every use of it is easy to find. Two secrets compare in
    constant time. An empty secret is false.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The string itself. Hand it to the wire; keep it in no variable that lives long."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.__value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")
