import { Bucket, bucketName } from "../../publishers/audit/s3/bucket.ts";
import { silentLogger } from "../../telemetry/logger.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../support/usage-error.ts";
import type { TrailFiles } from "./trail-files.ts";

const REGION = "us-east-1";

/** A trail in a bucket. Who asks, and where it is, say the variables that other programs for S3 read. */
export class BucketFiles implements TrailFiles {
  readonly name: string;
  readonly #bucket: Bucket;

  /** `location`: "s3://bucket/prefix". @throws UsageError */
  constructor(location: string, { env, clock, signal }: Pick<Io, "env" | "clock" | "signal">) {
    const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(location) ?? [];
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
    if (bucket === undefined)
      throw new UsageError(`${location} names no bucket; allowed: s3://bucket/prefix`);
    if (!accessKeyId || !secretAccessKey)
      throw new UsageError("To read from a bucket, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    this.name = bucketName({ bucket, prefix });
    this.#bucket = new Bucket(
      {
        bucket,
        prefix,
        region: env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? REGION,
        endpoint: env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"],
        credentials: { accessKeyId, secretAccessKey, sessionToken: env["AWS_SESSION_TOKEN"] },
        connection: { allowPrivate: true },
      },
      { clock, logger: silentLogger(), signal },
    );
  }

  async read(path: string): Promise<Buffer | undefined> {
    return (await this.#bucket.get(path))?.bytes;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bucket[Symbol.asyncDispose]();
  }
}
