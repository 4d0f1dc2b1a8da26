"""TA-Lib behind functions that take what they want by name. It is imported at the first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algo.errors import ParameterError
from algo.indicators.inputs import Array, Arrays2, Arrays3, as_arrays, finite_number, whole_number


@cache
def names() -> frozenset[str]:
    """The names of TA-Lib's functions, in upper case."""
    import talib

    return frozenset(talib.get_functions())  # type: ignore[no-untyped-call]


class _Spec(NamedTuple):
    """What TA-Lib says of one of its functions."""

    title: str
    inputs: tuple[str, ...]
    options: dict[str, int | float]
    outputs: tuple[str, ...]
    call: Callable[..., Any]


def _description(name: str, **options: Any) -> Any:
    from talib import abstract

    return abstract.Function(name, **options)  # type: ignore[attr-defined]


@cache
def _spec(name: str) -> _Spec:
    """TA-Lib's description of its function `name` (in upper case)."""
    import talib

    info = _description(name).info
    inputs: list[str] = []
    for wanted in info["input_names"].values():
        inputs += [wanted] if isinstance(wanted, str) else wanted
    title = f"{info['display_name']} ({info['group']})"
    return _Spec(
        title, tuple(inputs), dict(info["parameters"]), tuple(info["output_names"]), talib.__dict__[name]
    )


def _talib(name: str, inputs: tuple[ArrayLike, ...], options: dict[str, Any]) -> tuple[Array, ...]:
    """The outputs of TA-Lib's `name`, as arrays of floats that are NaN until they are known."""
    spec = _spec(name)
    label = name.lower()
    arrays = as_arrays(label, spec.inputs, inputs)
    for key, default in spec.options.items():
        if isinstance(default, int):
            whole_number(label, _ours(key), options[key])
        else:
            finite_number(label, _ours(key), options[key])
    start = _first_known(arrays)
    if start is None:  # TA-Lib would compute a value for the last bar
        return tuple(np.full(arrays[0].size, np.nan) for _ in spec.outputs)
    try:
        outputs = spec.call(*arrays, **options)
    except Exception as error:
        given = ", ".join(f"{_ours(key)}={value}" for key, value in options.items())
        raise ParameterError(f"{label}: TA-Lib does not accept {given}") from error
    return tuple(
        output if output.dtype == np.float64 else _unready(name, output, start, options)
        for output in (outputs if isinstance(outputs, tuple) else (outputs,))
    )


def _unready(name: str, output: NDArray[Any], start: int, options: dict[str, Any]) -> Array:
    """Whole numbers as floats: TA-Lib writes 0 where such an output is not known yet, this NaN."""
    result = output.astype(np.float64)
    result[: start + _description(name, **options).lookback] = np.nan
    return result


def _first_known(arrays: tuple[Array, ...]) -> int | None:
    """The first place where no array is NaN; None if there is no such place."""
    if arrays[0].size and not any(np.isnan(array[0]) for array in arrays):
        return 0
    known = np.flatnonzero(~np.any(np.isnan(arrays), axis=0))
    return int(known[0]) if known.size else None


def one(name: str, *inputs: ArrayLike, **options: Any) -> Array:
    return _talib(name, inputs, options)[0]


def two(name: str, *inputs: ArrayLike, **options: Any) -> Arrays2:
    first, second = _talib(name, inputs, options)
    return first, second


def three(name: str, *inputs: ArrayLike, **options: Any) -> Arrays3:
    first, second, third = _talib(name, inputs, options)
    return first, second, third


def _ours(option: str) -> str:
    return "period" if option == "timeperiod" else option


@cache
def made(name: str) -> Callable[..., Any]:
    """A function like those of `classics`, from TA-Lib's description of `name` (in upper case)."""
    spec = _spec(name)
    kind = Parameter.POSITIONAL_OR_KEYWORD
    wanted = [Parameter(key, kind, annotation="ArrayLike") for key in spec.inputs]
    settable = [
        Parameter(_ours(key), kind, default=default, annotation=type(default).__name__)
        for key, default in spec.options.items()
    ]
    single = len(spec.outputs) == 1
    returned = "Array" if single else f"tuple[{', '.join(['Array'] * len(spec.outputs))}]"
    signature = Signature([*wanted, *settable], return_annotation=returned)

    def function(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = list(bound.arguments.values())
        options = dict(zip(spec.options, values[len(wanted) :], strict=True))
        outputs = _talib(name, tuple(values[: len(wanted)]), options)
        return outputs[0] if single else outputs

    function.__module__ = "algo.indicators"
    function.__name__ = function.__qualname__ = name.lower()
    function.__doc__ = f"{spec.title}. Gives {', '.join(spec.outputs)}. TA-Lib's {name}."
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function
