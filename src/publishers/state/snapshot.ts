import { EpochChanged } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { ConnectionFrames } from "../connection/frames.ts";
import { objectTexts, type ObjectsOptions } from "./objects.ts";
import type { StartPoint } from "../connection/start.ts";
import type { ReadTask } from "../work/read-scheduler.ts";
import type { Prelude } from "../fanout/subscriber.ts";

export interface SnapshotOptions {
  readonly log: FeedLog;
  readonly frames: ConnectionFrames;
  readonly start: StartPoint;
  readonly objects: ObjectsOptions;
  readonly beginReading: () => Promise<ReadTask>;
}

/**
 * What a stream that asked for a snapshot begins with: hello, and the objects between begin and end, all true at
 * the cursor that the events then start after. The read is open while the subscriber takes them, and no longer.
 */
export function snapshotPrelude({ log, frames, start, objects, beginReading }: SnapshotOptions): Prelude {
  return async (write) => {
    await using read = await log.consistentRead();
    const { cursor } = read;
    const head = await log.head();
    if (head.epoch !== cursor.epoch) throw new EpochChanged(cursor, head);
    await write([...frames.opening({ ...start, cursor, head }), frames.snapshotBegin(cursor)]);
    let count = 0;
    for await (const texts of objectTexts(read, await beginReading(), objects)) {
      count += texts.length;
      await write(texts.map((json) => ({ json, cursor: undefined })));
    }
    await write([frames.snapshotEnd(cursor, count)]);
    return cursor;
  };
}
