"""Does what test/conformance/README.md asks of a client: a JSON line in, a JSON line out, until there are no more."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from nomad_changefeed import (
    ChangefeedError,
    Connected,
    Consumption,
    Disconnected,
    Event,
    IncompleteObject,
    Item,
    Loss,
    RequestFailed,
    RetryOptions,
    SnapshotMark,
    StateChange,
    StreamRefused,
    Subscription,
    apply_changes,
    consume,
    feed_api,
    subscribe,
    undo_changes,
    watch_state,
)
from nomad_changefeed._json import parse

Outcome = dict[str, Any]


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", name)


def name_of(item: Item) -> str:
    if isinstance(item, Connected):
        return "connected again" if item.again else "connected"
    if isinstance(item, Event):
        return item.cursor
    if isinstance(item, SnapshotMark):
        return f"snapshot {item.data['phase']}"
    subject = item.raw.get("subject")
    return str(subject) if subject is not None else re.sub(r"^(nomad\.feed|client)\.", "", item.type)


def error_of(error: ChangefeedError) -> Outcome:
    reason = error.reason if isinstance(error, StreamRefused) else error.code
    said = {"reason": reason, "message": error.message, "hint": error.hint}
    names = ("field", "allowed", "nearest", "position", "status", "retryable", "retry_after_ms")
    named = {re.sub("_([a-z])", lambda match: match[1].upper(), name): getattr(error, name, None) for name in names}
    if not isinstance(error, RequestFailed):
        del named["retryable"]
    return {name: value for name, value in {**said, **named}.items() if value is not None}


def options_of(task: Outcome, losses: list[Outcome]) -> dict[str, Any]:
    options = {snake(name): value for name, value in task.get("options", {}).items()}
    retry = options.pop("retry", {"baseMs": 1, "maxMs": 1})
    options["retry"] = RetryOptions(base_ms=retry["baseMs"], max_ms=retry["maxMs"])
    tokens = options.pop("tokens", None)
    if tokens is not None:
        options["token"] = giver(tokens)
    answers = options.get("onexpired")
    if isinstance(answers, list):
        answer = giver(answers)

        def on_expired(loss: Loss) -> Any:
            losses.append({"reason": loss.reason, "wanted": loss.wanted, "resumed": loss.resumed})
            return answer()

        options["onexpired"] = on_expired
    return options


def giver(values: list[Any]) -> Callable[[], Any]:
    """Gives one after the other, the last one again and again."""
    left = list(values)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


async def follow(task: Outcome) -> Outcome:
    losses: list[Outcome] = []
    options = options_of(task, losses)
    stop = options["stop"] = asyncio.Event()
    subscription: Subscription = (
        consume(task["url"], **options) if task["do"] == "consume" else subscribe(task["url"], **options)
    )
    outcome: Outcome = {"items": [], "texts": [], "waitsMs": [], "losses": losses, "ended": "done"}
    try:
        async with subscription:
            async for item in subscription:
                outcome["items"].append(name_of(item))
                if item.text:
                    outcome["texts"].append(item.text)
                if isinstance(item, Disconnected):
                    outcome["waitsMs"].append(item.retry_in_ms)
                if isinstance(subscription, Consumption) and isinstance(item, Event):
                    await subscription.ack(item)
                if len(outcome["items"]) == task.get("leaveAfter"):
                    outcome["ended"] = "left"
                    break
                if len(outcome["items"]) == task.get("stopAfter"):
                    stop.set()
    except StreamRefused as error:
        outcome["ended"] = error_of(error)
    return {**outcome, "cursor": subscription.cursor}


async def watch(task: Outcome) -> Outcome:
    options = options_of(task, [])
    stop = options["stop"] = asyncio.Event()
    told: list[str] = []

    def tell(what: str) -> None:
        told.append(what)
        if len(told) == task["stopAfter"]:
            stop.set()

    def on_change(change: StateChange) -> None:
        what = "created" if change.before is None else "deleted" if change.after is None else "updated"
        tell(f"{change.subject} {what}")

    def on_incomplete(incomplete: IncompleteObject) -> None:
        tell(f"{incomplete.subject} incomplete: {incomplete.reason}")

    ended: object = "done"
    async with watch_state(task["url"], on_change=on_change, on_incomplete=on_incomplete, **options) as state:
        try:
            await state.ended()
        except StreamRefused as error:
            ended = error_of(error)
    objects = {subject: known.stub for subject, known in state.objects.items()}
    incomplete = sorted(state.incomplete)
    return {"told": told, "objects": objects, "incomplete": incomplete, "cursor": state.cursor, "ended": ended}


def read(task: Outcome) -> Outcome:
    query = {snake(name): value for name, value in task.get("query", {}).items()}
    api = feed_api(task["url"], token=task.get("token"))
    try:
        if task["do"] == "state":
            objects = api.state(**query)
            return {"cursor": objects.cursor, "items": [name_of(item) for item in objects]}
        page = api.events(**query) if task["do"] == "events" else api.history(**query)
    except RequestFailed as error:
        return {"failed": error_of(error)}
    following = None if page.next is None else {wire(name): value for name, value in page.next.items()}
    head = {"head": page.head, "hasGap": page.has_gap} if task["do"] == "events" else {}  # type: ignore[union-attr]
    items = [name_of(event) for event in page.events]
    texts = [event.text for event in page.events]
    return {"items": items, "texts": texts, "cursor": page.cursor, "floor": page.floor, "next": following, **head}


def wire(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def change(task: Outcome) -> Outcome:
    before, changes = parse(task["object"]), parse(task["changes"])
    try:
        changed = apply_changes(before, changes) if task["do"] == "applyChanges" else undo_changes(before, changes)
    except ValueError:
        return {"failed": True}
    return {"object": changed}


def do(task: Outcome) -> Outcome:
    if task["do"] in ("subscribe", "consume"):
        return asyncio.run(follow(task))
    if task["do"] == "watchState":
        return asyncio.run(watch(task))
    return change(task) if task["do"] in ("applyChanges", "undoChanges") else read(task)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(do(json.loads(line)), default=float), flush=True)
