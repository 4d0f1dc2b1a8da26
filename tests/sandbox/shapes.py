"""Whether an answer of ours has the fields of a sample, in its order and with its types."""

from __future__ import annotations

from typing import Any


def differences(ours: Any, sample: Any, extra: frozenset[str] = frozenset(), at: str = "") -> list[str]:
    """What differs, as lines. `extra` are fields that ours may have beyond the sample's."""
    if ours is None or sample is None:
        return []
    if isinstance(sample, dict):
        if not isinstance(ours, dict):
            return [f"{at}: {type(ours).__name__} instead of an object"]
        names = [name for name in ours if name not in extra or name in sample]
        found = [] if names == list(sample) else [f"{at}: {names} instead of {list(sample)}"]
        for name, value in sample.items():
            if name in ours:
                found += differences(ours[name], value, extra, f"{at}.{name}")
        return found
    if isinstance(sample, list):
        if not isinstance(ours, list):
            return [f"{at}: {type(ours).__name__} instead of a list"]
        return (
            [line for one in ours for line in differences(one, sample[0], extra, f"{at}[]")] if sample else []
        )
    if type(ours) is type(sample):
        return []
    return [f"{at}: {ours!r} instead of something like {sample!r}"]
