import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { Signatures } from "../../src/publishers/webhook/signature.ts";

/** Published by Svix, in the tests of its server. */
const SVIX = {
  secret: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
};

it("v1a is what Svix published for its key", () => {
  const { secret, id, timestamp, body, signature } = SVIX;
  const headers = new Signatures([secret]).headers(id, timestamp * 1000 + 999, Buffer.from(body));
  expect(headers).toEqual({
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signature,
  });
});

it("an ed25519 key may be its seed alone", () => {
  const seed = Buffer.from(SVIX.secret.slice(5), "base64").subarray(0, 32);
  const headers = new Signatures([`whsk_${seed.toString("base64")}`]).headers(
    SVIX.id,
    SVIX.timestamp * 1000,
    Buffer.from(SVIX.body),
  );
  expect(headers["webhook-signature"]).toBe(SVIX.signature);
});

it("two secrets are two signatures in one header, also of both kinds", () => {
  const secrets = [`whsec_${randomBytes(24).toString("base64")}`, SVIX.secret];
  const signed = (which: readonly string[]) =>
    new Signatures(which).headers(SVIX.id, SVIX.timestamp * 1000, Buffer.from(SVIX.body))[
      "webhook-signature"
    ];
  expect(signed(secrets)).toBe(`${signed(secrets.slice(0, 1))} ${SVIX.signature}`);
});

it("without a secret nothing is signed, and the rest is there", () => {
  const headers = new Signatures([]).headers("msg_1", 1000, Buffer.from("{}"));
  expect(headers).toEqual({ "webhook-id": "msg_1", "webhook-timestamp": "1" });
});

it.each([
  ["too few bytes", `whsec_${randomBytes(23).toString("base64")}`],
  ["too many bytes", `whsec_${randomBytes(65).toString("base64")}`],
  ["a key of another length", `whsk_${randomBytes(48).toString("base64")}`],
  ["no prefix", randomBytes(32).toString("base64")],
  ["a public key", `whpk_${randomBytes(32).toString("base64")}`],
])("refuses a secret with %s, and does not quote it", (_what, secret) => {
  const refusal = thrownBy(() => new Signatures([secret]));
  expect(refusal).toContain("whsec_ and the base64 of 24 to 64 bytes");
  expect(refusal).not.toContain(secret.slice(6, 20));
});

function thrownBy(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String(error);
  }
  return "nothing";
}
