"""What indicators take: arrays of floats that fit together, whole periods, finite numbers."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algo.errors import DataError, ParameterError

Array = NDArray[np.float64]
Arrays2 = tuple[Array, Array]
Arrays3 = tuple[Array, Array, Array]


def as_arrays(label: str, names: tuple[str, ...], values: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
    """`values` as arrays of floats, all of one dimension and length."""
    try:
        arrays = tuple(np.ascontiguousarray(value, dtype=np.float64) for value in values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{label}: {', '.join(names)} must be numbers, one a bar") from error
    if any(np.ndim(value) != 1 for value in values):
        raise DataError(f"{label}: {', '.join(names)} must be one-dimensional, one value a bar")
    if len({array.size for array in arrays}) > 1:
        sizes = ", ".join(str(array.size) for array in arrays)
        raise DataError(f"{label}: {', '.join(names)} must be equally long, not {sizes}")
    return arrays


def pair(label: str, a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """`a` and `b` as arrays of one length; one of them may be a single number."""
    size = max(np.size(a), np.size(b))
    if np.ndim(a) == np.ndim(b) == 0:
        raise DataError(f"{label}: at least one of a and b must be an array")
    whole = [np.full(size, value) if np.ndim(value) == 0 else value for value in (a, b)]
    left, right = as_arrays(label, ("a", "b"), (whole[0], whole[1]))
    return left, right


def whole_number(label: str, option: str, value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ParameterError(f"{label}: {option} must be a whole number, not {value!r}")
    return int(value)


def finite_number(label: str, option: str, value: Any) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not isfinite(value):
        raise ParameterError(f"{label}: {option} must be a number, not {value!r}")
    return float(value)
