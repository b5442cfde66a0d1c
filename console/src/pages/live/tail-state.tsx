import { useRef } from "preact/hooks";
import { now } from "../../app/clock.ts";
import { asOf } from "../../app/router.ts";
import { link } from "../../feed/link.ts";
import { mayPass } from "../../feed/may-pass.ts";
import { Button } from "../../ui/button.tsx";
import { isNarrow } from "../../ui/narrow.ts";
import { count } from "../../words/names.ts";
import { duration } from "../../words/time.ts";
import type { LiveFeed } from "./live-feed.ts";
import css from "./live.module.css";
import type { Live } from "./use-live-feed.ts";

interface TailStateProps {
  readonly live: Live;
  readonly onToggle: () => void;
}

/** Nothing has come for so long: there is nothing to catch up with. */
const QUIET_MS = 2000;

/** What happens at the new end, always in words; and what stops it. */
export function TailState({ live: { feed, version }, onToggle }: TailStateProps) {
  void version.value;
  const { kind, words } = stateOf(feed);
  return (
    <div class={css.tail}>
      <p class={css.state} data-kind={kind} role="status">
        {words}
      </p>
      {kind === "live" && <Rate feed={feed} />}
      {feed.isFollowing && (
        <Button
          icon={feed.isPaused ? "play" : "pause"}
          hint="p"
          pressed={feed.isPaused}
          label={feed.isPaused ? "Resume" : "Pause"}
          onClick={onToggle}
        >
          {isNarrow.value ? undefined : feed.isPaused ? "Resume" : "Pause"}
        </Button>
      )}
    </div>
  );
}

/** Leads to what came and waits. */
export function WaitingButton({ live: { feed, version }, onTop }: { live: Live; onTop: () => void }) {
  void version.value;
  if (feed.waiting === 0) return null;
  return (
    <div class={css.waiting}>
      <Button icon="up" hint="g g" kind="primary" onClick={onTop}>
        {count(feed.waiting, "new event")}
      </Button>
    </div>
  );
}

/** How many came in the last seconds. */
function Rate({ feed }: { feed: LiveFeed }) {
  const seen = useRef<{ atMs: number; received: number }[]>([]);
  const last = seen.current.at(-1);
  if (last === undefined || now.value - last.atMs >= 900) {
    seen.current = [...seen.current, { atMs: now.value, received: feed.received }].slice(-6);
  }
  const [first] = seen.current;
  const end = seen.current.at(-1);
  if (first === undefined || end === undefined || end.atMs === first.atMs) return <span class={css.rate} />;
  const perSecond = ((end.received - first.received) * 1000) / (end.atMs - first.atMs);
  return (
    <span class={css.rate}>
      {perSecond >= 10 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10}/s
    </span>
  );
}

function stateOf(feed: LiveFeed): { kind: string; words: string } {
  if (feed.failure !== undefined) {
    return mayPass(feed.failure)
      ? { kind: "behind", words: "No answer, trying again" }
      : { kind: "ended", words: "Stopped" };
  }
  if (feed.window.count === 0 && feed.older.kind === "loading")
    return { kind: "past", words: "Reading the log" };
  if (!feed.isFollowing) return { kind: "past", words: asOf.value === "" ? "A stretch of time" : "The past" };
  const waiting = feed.waiting === 0 ? "" : `, ${feed.waiting.toLocaleString("en")} new`;
  if (feed.isPaused) return { kind: "held", words: `Paused${waiting}` };
  if (link.value?.kind === "away") return { kind: "behind", words: "Reconnecting" };
  const { behindMs, cameAtMs } = feed.tail;
  if (behindMs > 0 && now.value - cameAtMs < QUIET_MS) {
    return { kind: "behind", words: `Catching up, ${duration(behindMs)} behind` };
  }
  if (feed.isAway) return { kind: "held", words: `Reading${waiting}` };
  return { kind: "live", words: "Live" };
}
