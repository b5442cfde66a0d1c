import type { DailyPart } from "./daily-part.ts";

/** The files of a trail, wherever they are. */
export interface TrailFiles extends AsyncDisposable {
  /** As people know it. */
  readonly name: string;
  /** `path` is one of the trail's own, as "tile/0/000". Undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Paths of all tiles and bundles, where they can be listed. */
  tilePaths?(): AsyncIterable<string>;
  /** What the daily files hold, oldest first, where they can be listed. */
  dailyParts?(): AsyncIterable<DailyPart>;
  /** Index of the first entry in the oldest daily file; undefined where there is none, or it does not say. */
  dailyStart?(): Promise<number | undefined>;
}
