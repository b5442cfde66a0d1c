import { resolve } from "node:path";
import type { AuditSettings } from "../../schemas/destinations/audit.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import { DirectoryStore } from "./directory-store.ts";
import { BucketStore } from "./s3/bucket-store.ts";
import { Bucket, bucketName, type BucketOptions } from "./s3/bucket.ts";
import type { TrailStore } from "./store.ts";

/** Where a trail is to be. */
export interface StorePlace {
  /** As people know it: an absolute path, or "s3://bucket/prefix". */
  readonly name: string;
  /** `signal` ends what is under way over the network. */
  open(signal: AbortSignal): Promise<TrailStore>;
}

/** @throws what is wrong with a secret */
export function storeOf({ directory, s3 }: AuditSettings, deps: DestinationDeps): StorePlace {
  if (s3 === undefined) {
    const name = resolve(directory ?? "");
    return { name, open: () => DirectoryStore.open(name) };
  }
  const options = optionsOf(s3, deps.readSecret);
  return {
    name: bucketName(options),
    open: async (signal) => new BucketStore(new Bucket(options, { ...deps, signal })),
  };
}

type S3Settings = NonNullable<AuditSettings["s3"]>;

function optionsOf(settings: S3Settings, readSecret: DestinationDeps["readSecret"]): BucketOptions {
  const { bucket, prefix = "", region, endpoint, tls, allowPrivate } = settings;
  const { accessKeyId, secretAccessKey, sessionToken } = settings;
  return {
    bucket,
    prefix,
    region,
    endpoint,
    credentials: {
      accessKeyId: readSecret(accessKeyId),
      secretAccessKey: readSecret(secretAccessKey),
      sessionToken: sessionToken && readSecret(sessionToken),
    },
    connection: { ...tls, allowPrivate },
  };
}
