"""JSON as the feed writes it: every digit of a number is kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def parse(text: str | bytes) -> Any:
    """The value of a JSON text: whole numbers as int, all others as Decimal.

    Raises ValueError where it is none.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("the JSON is nested too deeply") from error


def parse_object(text: str | bytes) -> dict[str, Any] | None:
    """The members of a JSON object; None where the text is something else."""
    try:
        value = parse(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def same_json(one: object, other: object) -> bool:
    """Whether two parsed values say the same; the order of members does not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    # To Python, true is 1.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
