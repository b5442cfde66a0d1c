import { spawn } from "node:child_process";
import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { Signatures } from "../../src/publishers/webhook/signature.ts";
import { own } from "../support/own-processes.ts";
import { PYTHON, pythonLacks } from "../support/python.ts";
import { skippedBecause } from "../support/skipped.ts";

const missing = pythonLacks("standardwebhooks", "cryptography");
const SCRIPT = join(import.meta.dirname, "../support/webhook-verifier.py");
const BODY = JSON.stringify({ id: "größe@1", data: { text: "🚀\u2028" } });

/** What the verifier says of each request. */
async function verified(requests: readonly object[]): Promise<string[]> {
  const python = own(spawn(PYTHON, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] }), "python3");
  python.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(""));
  const [said] = await Promise.all([text(python.stdout), once(python, "exit")]);
  return said.trim().split("\n");
}

describe.skipIf(missing !== undefined)(
  `Python's standardwebhooks and cryptography${skippedBecause(missing)}`,
  () => {
    const secrets = [24, 64].map((bytes) => `whsec_${randomBytes(bytes).toString("base64")}`);
    const { privateKey } = generateKeyPairSync("ed25519");
    const jwk = privateKey.export({ format: "jwk" });
    const ed25519 = `whsk_${Buffer.from(jwk.d ?? "", "base64url").toString("base64")}`;
    const publicKey = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x ?? "", "base64url");
    const sign = (...keys: string[]) => new Signatures(keys).headers("msg_1", Date.now(), Buffer.from(BODY));

    test("accept what is signed: by one secret, by either of two, by a key beside a secret", async () => {
      const [short = "", long = ""] = secrets;
      const requests = [
        { headers: sign(short), body: BODY, secret: short },
        { headers: sign(short, long), body: BODY, secret: short },
        { headers: sign(short, long), body: BODY, secret: long },
        { headers: sign(short, ed25519), body: BODY, secret: short },
        { headers: sign(short, ed25519), body: BODY, public: publicKey.toString("base64") },
      ];
      expect(await verified(requests)).toEqual(requests.map(() => "ok"));
    });

    test("refuse another secret, another body and another key", async () => {
      const [short = "", long = ""] = secrets;
      const answers = await verified([
        { headers: sign(short), body: BODY, secret: long },
        { headers: sign(short), body: `${BODY} `, secret: short },
        { headers: sign(ed25519), body: BODY, public: randomBytes(32).toString("base64") },
        { headers: sign(ed25519), body: `${BODY} `, public: publicKey.toString("base64") },
      ]);
      expect(answers.filter((answer) => answer === "ok" || answer === "")).toEqual([]);
      expect(answers).toHaveLength(4);
    });
  },
);
