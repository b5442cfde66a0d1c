import { createHmac } from "node:crypto";
import { sha256 } from "../../../tlog/hash.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

interface Unsigned {
  readonly method: string;
  readonly url: URL;
  readonly body: Uint8Array;
  readonly region: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** Headers that sign a request for S3 by AWS Signature Version 4, its body with it. Others may be added: they are not signed. */
export function signedHeaders(request: Unsigned, credentials: S3Credentials): Record<string, string> {
  const { method, url, body, region, nowMs } = request;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const bodyHash = sha256(body).toString("hex");
  const headers: Record<string, string> = {
    host: url.host,
    "x-amz-content-sha256": bodyHash,
    "x-amz-date": time,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = [method, url.pathname, queryOf(url), lines.join(""), names, bodyHash].join("\n");
  const text = [ALGORITHM, time, scope, sha256(Buffer.from(canonical)).toString("hex")].join("\n");
  const key = scope.split("/").reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  const signature = hmac(key, text).toString("hex");
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** In the order of names, and encoded as RFC 3986 has it. */
function queryOf({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted()
    .join("&");
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
