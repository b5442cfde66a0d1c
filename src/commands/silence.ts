import { silenceSchema, silencesSchema, type Silence } from "../schemas/routes.ts";
import { plainText, terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor } from "./support/colours.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";
import { PLAIN, tableText, type Page } from "./support/table-text.ts";
import { timeText } from "./support/times.ts";
import { UsageError } from "./support/usage-error.ts";

export interface SilenceOptions extends FeedAddress {
  readonly json: boolean;
}

/** What a silence is for, as it was typed; the feed checks it. */
export interface GivenSilence {
  readonly filter?: string | undefined;
  readonly rules?: string | undefined;
  readonly minSeverity?: string | undefined;
  readonly for: string;
  readonly comment?: string | undefined;
}

/** Begins a silence, and shows it. @throws UsageError where it is for no alert */
export async function addSilence(given: GivenSilence, options: SilenceOptions, io: Io): Promise<void> {
  if ([given.filter, given.rules, given.minSeverity].every((matcher) => matcher === undefined)) {
    throw new UsageError("Say which alerts to silence: --filter, --rules or --min-severity", {
      hint: "--rules '*' is for all alerts",
    });
  }
  const query = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const path = `/v1/silences?${new URLSearchParams(query).toString()}`;
  const silence = await askFeed(options, { method: "POST", path, schema: silenceSchema }, io);
  print(
    options,
    io,
    silence,
    () => `${whatText(silence)} is silent until ${timeText(silence.endsAt)}: ${silence.id}\n`,
  );
}

/** Shows the silences in force, oldest first. */
export async function listSilences(options: SilenceOptions, io: Io): Promise<void> {
  const { silences } = await askFeed(options, { path: "/v1/silences", schema: silencesSchema }, io);
  print(options, io, { silences }, (page) => silencesText(silences, page));
}

/** Ends a silence before its time. */
export async function endSilence(id: string, options: SilenceOptions, io: Io): Promise<void> {
  const path = `/v1/silences/${encodeURIComponent(id)}`;
  const silence = await askFeed(options, { method: "DELETE", path, schema: silenceSchema }, io);
  print(options, io, silence, () => `${whatText(silence)} is silent no longer\n`);
}

function silencesText(silences: readonly Silence[], page: Page): string {
  if (silences.length === 0) return `${page.colours.dim("nothing is silenced")}\n`;
  const rows = silences.map((silence) => ({
    cells: [silence.id, timeText(silence.endsAt), silence.createdBy],
    paint: PLAIN,
    below: silence.comment === "" ? whatText(silence) : `${whatText(silence)}: ${silence.comment}`,
  }));
  return tableText(["ID", "UNTIL", "BY"], rows, page);
}

/** `filter severity == WARN, rules Node*` */
function whatText({ matchers }: Silence): string {
  const { filter, rules, minSeverity } = matchers;
  return [
    ...(filter === undefined ? [] : [`filter ${plainText(filter)}`]),
    ...(rules === undefined ? [] : [`rules ${plainText(rules.join(","))}`]),
    ...(minSeverity === undefined ? [] : [`severity ${minSeverity} and above`]),
  ].join(", ");
}

function print({ json }: SilenceOptions, io: Io, answer: object, text: (page: Page) => string): void {
  const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
  io.stdout.write(json ? `${terminalJson(JSON.stringify(answer, null, 2))}\n` : text(page));
}
