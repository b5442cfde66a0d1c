import { useState } from "preact/hooks";
import { Button } from "../../ui/button.tsx";
import { Radios } from "../../ui/form.tsx";
import { Popover } from "../../ui/popover.tsx";
import { count } from "../../words/names.ts";
import { msOfAge } from "../../words/time.ts";
import { exportRun, startExport, type ExportRun } from "./export-run.ts";
import { MOST_EVENTS, type ExportFormat, type ExportQuery } from "./export.ts";
import css from "./live.module.css";
import type { LiveOptions } from "./live-source.ts";
import { spanWords, spanOf } from "./span.ts";

interface ExportMenuProps {
  readonly options: LiveOptions;
  readonly onReady: (open: () => void) => void;
}

/** Files of the events that match, also of those that are not in the list yet. */
export function ExportMenu({ options, onReady }: ExportMenuProps) {
  return (
    <Popover label="Export" icon="download" iconOnly align="end" hint="x" onReady={onReady}>
      {() => <Exports options={options} />}
    </Popover>
  );
}

const SHOWN = "shown";
const ALL = "all";

function Exports({ options }: { options: LiveOptions }) {
  const [span, setSpan] = useState(SHOWN);
  const run = exportRun.value;
  const start = (format: ExportFormat) => () => void startExport(queryOf(options, span === ALL), format);
  const isRunning = run?.kind === "running";
  return (
    <div class={css.exports}>
      <h2>Events that match, from the log</h2>
      {options.since === undefined ? (
        <Radios
          legend="Since when"
          value={span}
          onChange={setSpan}
          options={[
            { value: SHOWN, words: `${spanWords()}, as the histogram` },
            { value: ALL, words: "all that is kept" },
          ]}
        />
      ) : (
        <p>All of the chosen stretch of time.</p>
      )}
      <div class={css.quick}>
        <Button onClick={start("ndjson")} disabled={isRunning} label="Whole, as the feed sent them">
          NDJSON
        </Button>
        <Button onClick={start("csv")} disabled={isRunning} label="One line each, for a spreadsheet">
          CSV
        </Button>
      </div>
      {run === undefined ? (
        <p class="muted">
          NDJSON has the whole events, CSV a line for each. At most {MOST_EVENTS.toLocaleString("en")}, the
          newest.
        </p>
      ) : (
        <Progress run={run} />
      )}
    </div>
  );
}

function Progress({ run }: { run: ExportRun }) {
  if (run.kind === "ended") {
    return (
      <p class={run.isWrong ? css.wrong : "muted"} role="status">
        {run.words}
      </p>
    );
  }
  const { read, total, cancel } = run;
  const most = total === undefined ? undefined : Math.min(total, MOST_EVENTS);
  return (
    <div class={css.progress}>
      <progress
        aria-label="Exported"
        {...(most !== undefined && { max: Math.max(1, most), value: Math.min(read, most) })}
      />
      <p class="muted" role="status">
        {most === undefined
          ? `${count(read, "event")} read`
          : `${read.toLocaleString("en")} of ${count(most, "event")} read`}
      </p>
      <Button onClick={cancel}>Cancel</Button>
    </div>
  );
}

/** What is exported: ages become times, so that the beginning stays where it is while pages are read. */
function queryOf({ selection, since, until, through, before }: LiveOptions, isAll: boolean): ExportQuery {
  const from = since ?? (isAll ? undefined : spanOf().since);
  const ageMs = from === undefined ? undefined : msOfAge(from);
  const query = {
    ...selection,
    ...(from !== undefined && {
      since: ageMs === undefined ? from : new Date(Date.now() - ageMs).toISOString(),
    }),
    ...(until !== undefined && { until }),
    ...(before !== undefined && { cursor: before }),
  };
  return { query, through };
}
