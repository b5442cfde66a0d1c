import { alertListSchema, type AlertList } from "../schemas/alert-schema.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { alertsText } from "./support/alert-texts.ts";
import { coloursFor, stderrColoursFor } from "./support/colours.ts";
import { EXIT_CODES } from "./support/exit.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";
import { timeText } from "./support/times.ts";

/** Whoever makes alerts says every ten seconds that somebody looks. */
const OLD_MS = 60_000;

export interface AlertsOptions extends FeedAddress {
  readonly json: boolean;
  /** Also what ended lately. */
  readonly ended: boolean;
}

/** Shows what fires. Answers 1 where something does, or where nobody looks. */
export async function alerts(options: AlertsOptions, io: Io): Promise<number> {
  const found = await askFeed(options, { path: "/v1/alerts", schema: alertListSchema }, io);
  const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
  io.stdout.write(
    options.json
      ? `${terminalJson(JSON.stringify(found, null, 2))}\n`
      : alertsText(found, page, options.ended),
  );
  const doubt = doubtOf(found, io.clock.now());
  if (doubt !== undefined) io.stderr.write(`${stderrColoursFor(io).yellow("warning:")} ${doubt}\n`);
  for (const { name, target, state, reason } of found.destinations) {
    if (state === "ok") continue;
    const text = plainText(`${name} (${target}) is not told: ${reason ?? state}`);
    io.stderr.write(`${stderrColoursFor(io).yellow("warning:")} ${text}\n`);
  }
  const isQuiet = found.alerts.every(({ state }) => state !== "firing");
  return isQuiet && doubt === undefined ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** Why there may be other alerts than those. */
function doubtOf({ asOf }: AlertList, nowMs: number): string | undefined {
  if (asOf === null) return "nobody has looked for alerts yet; nomad-changefeed assignments says why";
  if (nowMs - Date.parse(asOf) < OLD_MS) return undefined;
  return `nobody has looked for alerts since ${timeText(asOf)}; nomad-changefeed assignments says why`;
}
