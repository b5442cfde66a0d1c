import { whySchema } from "../schemas/why-schema.ts";
import { terminalJson } from "../schemas/terminal-text.ts";
import type { Io } from "./io.ts";
import { coloursFor } from "./support/colours.ts";
import { askFeed, type FeedAddress } from "./support/feed-request.ts";
import { findSubject } from "./support/find-subject.ts";
import { parseSelector } from "./support/object-selector.ts";
import { whyText } from "./support/why-texts.ts";

/** A chain may be long, and the log large. */
const ANSWER_WITHIN_MS = 60_000;

export interface WhyOptions extends FeedAddress {
  /** `allocation/5456bd7a`, `job/web`. */
  readonly object: string;
  readonly namespace?: string | undefined;
  readonly at?: string | undefined;
  readonly json: boolean;
}

/** Shows what led to an object's state: a story, and what hangs together with it. */
export async function why(options: WhyOptions, io: Io): Promise<void> {
  const { namespace, at, json } = options;
  const selector = parseSelector(options.object);
  const subject = await findSubject(options, { ...selector, namespace, at }, io);
  const query = new URLSearchParams({ subject, ...(at !== undefined && { at }) });
  const question = { path: `/v1/why?${query.toString()}`, schema: whySchema, withinMs: ANSWER_WITHIN_MS };
  const answer = await askFeed(options, question, io);
  const page = { colours: coloursFor(io), columns: io.isTTY ? io.columns() : undefined };
  io.stdout.write(json ? `${terminalJson(JSON.stringify(answer, null, 2))}\n` : whyText(answer, page));
}
