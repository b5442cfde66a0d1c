/**
 * A process that writes a log until it is killed: `node sqlite-writer.ts <path> <seed>`. Prints "open", then the
 * newest sequence after each commit, each on a line, before it does anything else.
 */
import { writeSync } from "node:fs";
import type { Commit } from "../../src/feed/log.ts";
import type { ObjectRef } from "../../src/schemas/resources.ts";
import { draft } from "./drafts.ts";
import { openSqlite } from "./sqlite-files.ts";

export const SOURCE = "nomad://test/global";
export const SCOPE = { resource: "allocations", namespace: "*" } as const;

/** What the writer puts in each event as `after`: the poll it is of, and whether the poll ends with it. */
export interface WrittenObject {
  readonly poll: number;
  readonly version: string;
}

const CHUNKS_PER_POLL = 3;
const OBJECTS = 40;

/** Polls of three chunks each; only the last chunk moves the checkpoint. */
async function write(path: string, seed: string): Promise<void> {
  const log = await openSqlite({ path, source: SOURCE });
  const claim = await log.claim(SCOPE, `writer-${seed}`);
  tell("open");
  let { rev } = claim;
  for (let poll = Number(claim.checkpoint?.index ?? 0) + 1; ; poll += 1) {
    for (let part = 1; part <= CHUNKS_PER_POLL; part += 1) {
      const commit = chunk(poll, part, seed);
      const ends = part === CHUNKS_PER_POLL;
      const checkpoint = {
        index: String(poll),
        nomadEpoch: 0,
        count: 0,
        observedAt: new Date(0).toISOString(),
      };
      const { last } = await log.commit({
        ...commit,
        scope: SCOPE,
        fence: claim.fence,
        expectedRev: rev,
        commitId: `${seed}-${rev}`,
        ...(ends ? { checkpoint } : {}),
      });
      rev += 1;
      tell(String(last));
    }
  }
}

function chunk(poll: number, part: number, seed: string): Pick<Commit, "events" | "state"> {
  const changes = Array.from({ length: 5 }, (_, n) => {
    const number = (poll * 7 + part * 11 + n * 3) % OBJECTS;
    const ref: ObjectRef = {
      resource: "allocations",
      namespace: number % 2 ? "default" : "prod",
      key: `alloc-${number}`,
    };
    const gone = (poll + part + n) % 4 === 0;
    const after: WrittenObject = { poll, version: `${seed}-${poll}-${part}-${n}` };
    const event = draft({ ...ref, op: gone ? "delete" : "update", job: "web", after, bytes: 3000 });
    const stub = Buffer.from(JSON.stringify(after));
    return { event, state: { ref, next: gone ? null : { rev: after.version, stub } } };
  });
  return { events: changes.map(({ event }) => event), state: changes.map(({ state }) => state) };
}

/** Written before the call returns, so that what was said was done. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

const [path, seed] = process.argv.slice(2);
if (import.meta.main && path !== undefined && seed !== undefined) await write(path, seed);
