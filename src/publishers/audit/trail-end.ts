import { z } from "zod";
import { auditMarkSchema, type AuditMark } from "../../schemas/audit.ts";
import { parseCursor } from "../../schemas/cursor.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import type { TrailEnd } from "./addition.ts";
import type { StoredEntries } from "./stored-entries.ts";

/** What follows the last entry; undefined of an empty trail. A gap does not say of which epoch it is: an entry before it does. */
export async function endOf(stored: StoredEntries): Promise<TrailEnd | undefined> {
  let nextSeq: number | undefined;
  for (let index = Math.ceil(stored.size / TILE_WIDTH) - 1; index >= 0; index -= 1) {
    for (const entry of (await stored.bundle(index)).toReversed()) {
      const after = whatFollows(entry);
      nextSeq ??= after.nextSeq;
      if (after.epoch !== undefined) return { epoch: after.epoch, nextSeq };
    }
  }
  return undefined;
}

interface Following {
  readonly epoch?: string;
  readonly nextSeq: number;
}

const eventSchema = z.object({ cursor: z.string() });

function whatFollows(entry: Buffer): Following {
  const value: unknown = JSON.parse(entry.toString("utf8"));
  const mark = auditMarkSchema.safeParse(value);
  if (mark.success) return afterMark(mark.data);
  const { cursor } = eventSchema.parse(value);
  const place = parseCursor(cursor);
  if (place === undefined) throw new Error(`the audit trail has an event with the cursor ${cursor}`);
  return { epoch: place.epoch, nextSeq: place.sequence + 1 };
}

function afterMark(mark: AuditMark): Following {
  switch (mark.type) {
    case "changefeed.audit.genesis":
      return { epoch: mark.epoch, nextSeq: mark.firstSeq };
    case "changefeed.audit.epoch":
      return { epoch: mark.epoch, nextSeq: mark.nextSeq };
    case "changefeed.audit.gap":
      return { nextSeq: mark.nextSeq };
    default:
      return mark satisfies never;
  }
}
