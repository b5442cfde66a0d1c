import { terminalJson } from "../../schemas/terminal-text.ts";
import type { Io } from "../io.ts";
import { coloursFor } from "../support/colours.ts";
import { EXIT_CODES } from "../support/exit.ts";
import { parseKeys, readCheckpoint } from "./checkpoints.ts";
import { openTrailFiles } from "./open-trail-files.ts";
import type { TrailOptions } from "./trail-options.ts";
import { verdictJson, verdictText } from "./verdict-text.ts";
import { verifyTrail } from "./verification.ts";

export interface VerifyOptions extends TrailOptions {
  /** File with a checkpoint of the trail that was kept elsewhere. */
  readonly against?: string | undefined;
  readonly json: boolean;
}

/** Verifies a whole trail. Answers 3 where it is not as its checkpoint says. */
export async function verify(trail: string, options: VerifyOptions, io: Io): Promise<number> {
  const keys = parseKeys(options.keys);
  const kept = options.against === undefined ? undefined : await readCheckpoint(options.against, keys);
  await using files = openTrailFiles(trail, options, io);
  const verdict = await verifyTrail(files, { keys, kept }, io.signal);
  if (options.json) io.stdout.write(`${terminalJson(JSON.stringify(verdictJson(verdict), null, 2))}\n`);
  else io.stdout.write(verdictText(verdict, { trail: files.name, kept, colours: coloursFor(io) }));
  return verdict.findings.length === 0 ? EXIT_CODES.ok : EXIT_CODES.unverified;
}
