"""Follows a feed from its beginning and watches its state, for a test that harms the bridge meanwhile.

Writes each event as it came, one a line; an empty line, and after it the stubs by subject as one JSON object, each time
it reads a line. Ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from nomad_changefeed import Event, RetryOptions, subscribe, watch_state

QUICK = RetryOptions(base_ms=20, max_ms=200)


async def main(url: str) -> None:
    stop = asyncio.Event()

    async def follow() -> None:
        async with subscribe(url, cursor="earliest", retry=QUICK, stop=stop) as events:
            async for event in events:
                if isinstance(event, Event):
                    print(event.text, flush=True)

    async with watch_state(url, retry=QUICK, stop=stop) as state:
        following = asyncio.ensure_future(follow())
        await state.ready()
        while await asyncio.to_thread(sys.stdin.readline):
            stubs = {subject: known.stub for subject, known in state.objects.items()}
            print(f"\n{json.dumps(stubs, default=float)}", flush=True)
        stop.set()
        await following
        await state.ended()


asyncio.run(main(sys.argv[1]))
