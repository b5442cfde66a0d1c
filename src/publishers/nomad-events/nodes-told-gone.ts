import type { RecordedFrame } from "../../feed/frames/frame-log.ts";
import type { FrameStart } from "../../feed/frames/frame-starts.ts";
import type { Clock } from "../../shared/clock.ts";

interface Record {
  startAt(index: number): FrameStart;
  read(after: number, limits: { maxFrames: number; maxBytes: number }): readonly RecordedFrame[];
}

/** How Nomad tells that a node was purged. */
const TYPE = "NodeDeregistration";
const PAGE = { maxFrames: 512, maxBytes: 4 * 2 ** 20 };

/** Ids of the nodes whose end Nomad's own frames tell, as far as they are recorded, from the index on. */
export async function nodesToldGone(
  { frames, clock }: { readonly frames: Record; readonly clock: Pick<Clock, "yield"> },
  index: number,
): Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  let { after } = frames.startAt(index);
  for (;;) {
    const page = frames.read(after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return told;
    for (const { line } of page) for (const key of goneIn(line)) told.add(key);
    after = last.sequence;
    await clock.yield();
  }
}

function goneIn(line: Buffer): string[] {
  if (!line.includes(TYPE)) return [];
  const { Events } = JSON.parse(line.toString()) as { Events: readonly { Type: string; Key: string }[] };
  return Events.filter(({ Type }) => Type === TYPE).map(({ Key }) => Key);
}
