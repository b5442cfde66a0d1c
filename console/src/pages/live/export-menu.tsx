import { originalText } from "nomad-changefeed-client";
import { useState } from "preact/hooks";
import { api } from "../../feed/api.ts";
import type { EventFacts } from "../../feed/event-facts.ts";
import { Button } from "../../ui/button.tsx";
import { download } from "../../ui/download.ts";
import { Popover } from "../../ui/popover.tsx";
import { count } from "../../words/names.ts";
import { isMark } from "./event-window.ts";
import { csvOf, ndjsonOf } from "./export.ts";
import type { LiveFeed } from "./live-feed.ts";
import css from "./live.module.css";
import type { SelectionQuery } from "./selection.ts";

interface ExportMenuProps {
  readonly feed: LiveFeed;
  readonly selection: SelectionQuery;
  readonly onReady: (open: () => void) => void;
}

/** Files of what is shown. */
export function ExportMenu({ feed, selection, onReady }: ExportMenuProps) {
  return (
    <Popover label="Export" icon="download" iconOnly align="end" hint="x" onReady={onReady}>
      {(close) => <Exports events={eventsIn(feed)} selection={selection} close={close} />}
    </Popover>
  );
}

interface ExportsProps {
  readonly events: readonly EventFacts[];
  readonly selection: SelectionQuery;
  readonly close: () => void;
}

function Exports({ events, selection, close }: ExportsProps) {
  const [said, say] = useState("");
  const name = `events-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
  const toCsv = () => {
    download(`${name}.csv`, csvOf(events), "text/csv");
    close();
  };
  const toNdjson = async () => {
    try {
      const lines = await ndjsonOf(
        events,
        { readPage: (query) => api().events(query), textOf: originalText },
        selection,
        (done) => say(`Read ${done.toLocaleString("en")} of ${count(events.length, "event")}`),
      );
      download(`${name}.ndjson`, lines, "application/x-ndjson");
      if (lines.length === events.length) close();
      else
        say(
          `${count(events.length - lines.length, "event")} shown here are no longer in the log: not in the file.`,
        );
    } catch (error) {
      say(`Not exported: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return (
    <div class={css.view}>
      <p>{count(events.length, "event")} shown here</p>
      <div class={css.quick}>
        <Button
          onClick={() => void toNdjson()}
          disabled={events.length === 0}
          label="Whole, as the feed sent them"
        >
          NDJSON
        </Button>
        <Button onClick={toCsv} disabled={events.length === 0} label="One line each, for a spreadsheet">
          CSV
        </Button>
      </div>
      <p class="muted" role="status">
        {said === "" ? "NDJSON has the whole events, read from the log; CSV has the lines." : said}
      </p>
    </div>
  );
}

function eventsIn({ window: rows }: LiveFeed): EventFacts[] {
  const events: EventFacts[] = [];
  for (const row of rows.newestFirst()) if (!isMark(row)) events.push(row);
  return events;
}
