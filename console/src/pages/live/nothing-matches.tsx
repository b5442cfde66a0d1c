import { route, setQuery } from "../../app/router.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/panel.tsx";
import type { LiveFeed } from "./live-feed.ts";
import { isEverything, SELECTION, selectionOf } from "./selection.ts";

/** Why there is no event to see. */
export function NothingMatches({ feed }: { feed: LiveFeed }) {
  const all = isEverything(selectionOf(route.value.query));
  if (all && feed.isFollowing) {
    return (
      <Empty title="Nothing has happened yet">
        The feed holds no event. What comes is shown here at once.
      </Empty>
    );
  }
  return (
    <Empty title={all ? "Nothing happened in this time" : "No event matches"}>
      <p>
        {feed.isFollowing
          ? "All that retention keeps was looked through. What comes and matches is shown at once."
          : "The whole of the chosen time was looked through."}
      </p>
      <p>
        <Button
          onClick={() =>
            setQuery(
              { ...Object.fromEntries(SELECTION.map((name) => [name, null])), from: null, to: null },
              { replace: false },
            )
          }
        >
          Show everything
        </Button>
      </p>
    </Empty>
  );
}
