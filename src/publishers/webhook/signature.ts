import { createHmac, createPrivateKey, createSecretKey, sign } from "node:crypto";

/** Signs bytes: `v1,<base64>` or `v1a,<base64>`. */
type Signer = (content: Buffer) => string;

const SECRET = /^(whsec|whsk)_([A-Za-z0-9+/_-]+={0,2})$/;
const HMAC_BYTES = { least: 24, most: 64 };
const SEED_BYTES = 32;
/** What stands before the seed of an ed25519 key in PKCS #8. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** Signs requests as Standard Webhooks 1.0 asks, with each of the secrets: two while receivers move to a new one. */
export class Signatures {
  readonly #signers: readonly Signer[];

  /** @throws Error that says what a secret has to be, without quoting it */
  constructor(secrets: readonly string[]) {
    this.#signers = secrets.map(signerOf);
  }

  /** `id` is the same over all attempts, `atMs` is when this one is made. */
  headers(id: string, atMs: number, body: Buffer): Record<string, string> {
    const timestamp = String(Math.floor(atMs / 1000));
    const unsigned = { "webhook-id": id, "webhook-timestamp": timestamp };
    if (this.#signers.length === 0) return unsigned;
    const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    const signatures = this.#signers.map((signer) => signer(content));
    return { ...unsigned, "webhook-signature": signatures.join(" ") };
  }
}

function signerOf(secret: string): Signer {
  const [, kind, base64 = ""] = SECRET.exec(secret.trim()) ?? [];
  const key = Buffer.from(base64, "base64");
  if (kind === "whsec" && key.length >= HMAC_BYTES.least && key.length <= HMAC_BYTES.most) {
    // Made once: it costs five times what a signature does.
    const secretKey = createSecretKey(key);
    return (content) => `v1,${createHmac("sha256", secretKey).update(content).digest("base64")}`;
  }
  // 64 bytes are the seed and the public key behind it.
  if (kind === "whsk" && (key.length === SEED_BYTES || key.length === 2 * SEED_BYTES)) {
    const der = Buffer.concat([PKCS8_HEAD, key.subarray(0, SEED_BYTES)]);
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return (content) => `v1a,${sign(null, content, privateKey).toString("base64")}`;
  }
  throw new Error(
    "a signing secret is whsec_ and the base64 of 24 to 64 bytes, or whsk_ and that of an ed25519 key, 32 or 64 bytes",
  );
}
