"""From one version of an object to the next, and back, by the `changes` of an update."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from ._json import same_json
from .wire import JsonChange

#: Stands for a member that is not there; None is JSON's null.
_ABSENT: Final = object()


def apply_changes(before: dict[str, Any], changes: Sequence[JsonChange]) -> dict[str, Any]:
    """The stub after an update, from the one before it and the event's `data["changes"]`.

    They must be all of them: `data` has no `changesTruncated` then. Neither is modified.
    Raises ValueError where they do not belong together.
    """
    value: Any = before
    for change in changes:
        names, old, new = _parts(change)
        value = _step(value, names, old, new)
    return _object(value)


def undo_changes(after: dict[str, Any], changes: Sequence[JsonChange]) -> dict[str, Any]:
    """The stub before an update, from the one after it: `apply_changes` the other way round.

    Raises ValueError where they do not belong together.
    """
    value: Any = after
    for change in reversed(changes):
        names, old, new = _parts(change)
        value = _step(value, names, new, old)
    return _object(value)


def _parts(change: JsonChange) -> tuple[list[str], object, object]:
    names = [name.replace("~1", "/").replace("~0", "~") for name in change["path"].split("/")[1:]]
    return names, change.get("from", _ABSENT), change.get("to", _ABSENT)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("The changes leave no object")
    return value


def _step(value: Any, names: list[str], old: object, new: object) -> Any:
    """The value with the member at `names` turned from `old` into `new`."""
    if not names:
        if not same_json(value, old):
            raise ValueError("The changes are of another version of the object")
        return new
    name, *rest = names
    if isinstance(value, list):
        return _step_list(value, name, rest, old, new)
    if isinstance(value, dict):
        return _step_dict(value, name, rest, old, new)
    raise ValueError(f"There is no member {json.dumps(name)} to change")


def _step_list(value: list[Any], name: str, rest: list[str], old: object, new: object) -> list[Any]:
    index = int(name) if re.fullmatch("[0-9]{1,15}", name) else len(value) + 1
    inserts = not rest and old is _ABSENT
    if not (index < len(value) or (inserts and index == len(value))):
        raise ValueError(f"There is no element {name} in an array of {len(value)}")
    if inserts:
        return [*value[:index], new, *value[index:]]
    element = _step(value[index], rest, old, new)
    kept = [] if element is _ABSENT else [element]
    return [*value[:index], *kept, *value[index + 1 :]]


def _step_dict(value: dict[str, Any], name: str, rest: list[str], old: object, new: object) -> dict[str, Any]:
    member = _step(value.get(name, _ABSENT), rest, old, new)
    if member is _ABSENT:
        return {other: kept for other, kept in value.items() if other != name}
    # A member keeps its place among the others.
    return {**value, name: member}
