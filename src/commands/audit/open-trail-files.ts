import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Io } from "../io.ts";
import type { FeedAddress } from "../support/feed-request.ts";
import { UsageError } from "../support/usage-error.ts";
import { BucketFiles } from "./bucket-files.ts";
import { DirectoryFiles } from "./directory-files.ts";
import { ServedFiles } from "./served-files.ts";
import type { TrailFiles } from "./trail-files.ts";

/** A directory, a bucket, or a trail that is served. @throws UsageError */
export function openTrailFiles(location: string, access: Omit<FeedAddress, "url">, io: Io): TrailFiles {
  if (/^https?:\/\//.test(location)) return new ServedFiles({ ...access, url: location }, io);
  if (location.startsWith("s3://")) return new BucketFiles(location, io);
  const directory = resolve(location);
  if (!existsSync(directory)) throw new UsageError(`there is no directory ${directory}`);
  return new DirectoryFiles(directory);
}
