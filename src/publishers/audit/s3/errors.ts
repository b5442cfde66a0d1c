import { ChangefeedError } from "../../../schemas/errors.ts";
import { TrailUnusable } from "../errors.ts";

/** The store did not answer, or says that it cannot at the moment: it is asked again later. */
export class BucketUnreachable extends ChangefeedError {
  readonly code = "AUDIT_BUCKET_UNREACHABLE";
  constructor(bucket: string, what: string, cause?: unknown) {
    super(`${bucket} cannot be reached: ${what}`, {
      hint: "It is tried again; look at s3.endpoint if it stays",
      cause,
    });
  }
}

/** The store does not take what it is asked. */
export class BucketRefused extends TrailUnusable {
  readonly code = "AUDIT_BUCKET_REFUSED";
  readonly status: number;
  constructor(bucket: string, status: number, what: string) {
    super(`${bucket}: ${what}`, {
      hint: "Look at s3.accessKeyId, s3.secretAccessKey, s3.region and s3.bucket; the keys have to allow GetObject, PutObject, DeleteObject and ListBucket",
    });
    this.status = status;
  }
}

/** A store that takes no heed of conditions cannot keep two writers apart. */
export class BucketUnconditional extends TrailUnusable {
  readonly code = "AUDIT_BUCKET_UNCONDITIONAL";
  constructor(bucket: string, condition: string) {
    super(`The store of ${bucket} takes no heed of ${condition}: it cannot keep two writers apart`, {
      hint: "Use a store with conditional writes, or a directory",
    });
  }
}
