import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { NomadOptionInvalid } from "../../src/nomad/errors.ts";
import { resolveNomadOptions, type RawNomadOptions } from "../../src/nomad/options.ts";

function invalid(raw: RawNomadOptions): NomadOptionInvalid {
  try {
    resolveNomadOptions(raw);
  } catch (error) {
    if (error instanceof NomadOptionInvalid) return error;
  }
  throw new Error("expected NomadOptionInvalid");
}

/** The client's options as the environment alone gives them. */
function nomadOptionsFromEnv(env: Record<string, string>) {
  return resolveNomadOptions(resolveConfig({ flags: {}, env }).config.nomad);
}

function addressesOf(raw: RawNomadOptions) {
  return resolveNomadOptions(raw).addresses.map((address) => ({
    shown: address.display,
    origin: address.origin,
    secure: address.secure,
    socket: address.socketPath,
    authorization: address.authorization?.reveal(),
  }));
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

describe("addresses", () => {
  test.each<[string, RawNomadOptions, Record<string, unknown>]>([
    ["default to the local agent", {}, { shown: "http://127.0.0.1:4646", secure: false }],
    ["lose their path", { addresses: ["http://nomad:4646/ui/jobs?x=1"] }, { origin: "http://nomad:4646" }],
    [
      "may be https",
      { addresses: ["https://nomad.example"] },
      { origin: "https://nomad.example", secure: true },
    ],
    [
      "may be sockets",
      { addresses: ["unix:///run/nomad api.sock"] },
      { origin: "http://127.0.0.1", socket: "/run/nomad api.sock", shown: "unix:///run/nomad api.sock" },
    ],
    ["may be IPv6", { addresses: ["http://[::1]:4646"] }, { origin: "http://[::1]:4646" }],
    [
      "carry credentials that are not shown",
      { addresses: ["http://u%40x:p%3Aw@nomad:1"] },
      { shown: "http://nomad:1", authorization: basic("u@x:p:w") },
    ],
    [
      "carry credentials that win over httpAuth",
      { addresses: ["http://a:b@nomad:1"], httpAuth: "c:d" },
      { authorization: basic("a:b") },
    ],
    [
      "take httpAuth, split at the first colon",
      { httpAuth: "user:pa:ss" },
      { authorization: basic("user:pa:ss") },
    ],
    ["take httpAuth without a password", { httpAuth: "user" }, { authorization: basic("user:") }],
    ["take no httpAuth where it is empty", { httpAuth: "" }, { authorization: undefined }],
  ])("%s", (_name, raw, expected) => {
    expect(addressesOf(raw)).toHaveLength(1);
    expect(addressesOf(raw)[0]).toMatchObject(expected);
  });

  test("come as several entries or with commas, which a password may hold too", () => {
    const shown = addressesOf({ addresses: ["http://a:1, https://b:2", "http://u:x,y@c:3,"] }).map(
      (address) => address.shown,
    );
    expect(shown).toEqual(["http://a:1", "https://b:2", "http://c:3"]);
  });

  test.each([
    "127.0.0.1:4646",
    "nomad",
    "ftp://nomad",
    "unix://relative",
    "http://u:hidden-word@",
    "u:hidden-word@nomad",
  ])("%s is refused by name, with what is allowed and without its password", (address) => {
    const error = invalid({ addresses: [address] });
    expect(error).toMatchObject({ code: "NOMAD_OPTION_INVALID", option: "addresses", retryable: false });
    expect(error.message).toMatch(/http:\/\/host:port, https:\/\/host:port and unix:\/\/\/path/);
    expect(error.message).not.toContain("hidden-word");
  });
});

describe("options", () => {
  test("a token file goes before a token", () => {
    expect(resolveNomadOptions({ token: "t", tokenFile: "/f" }).token).toEqual({ kind: "file", path: "/f" });
  });

  test("a token loses the white space around it and is shown nowhere", () => {
    const options = resolveNomadOptions({ token: " hidden-word\n", httpAuth: "user:hidden-word" });
    expect(options.token.kind === "fixed" && options.token.token.reveal()).toBe("hidden-word");
    const shown = JSON.stringify(options) + inspect(options, { depth: 9 }) + JSON.stringify(options.token);
    expect(shown).not.toContain("hidden-word");
    expect(shown).not.toContain(Buffer.from("user:hidden-word").toString("base64"));
  });

  test("a token that no header can carry is refused without showing it", () => {
    const error = invalid({ token: "hidden\nword" });
    expect(error.option).toBe("token");
    expect(error.message).not.toContain("hidden");
  });

  test.each([{ clientCert: "/c" }, { clientKey: "/k" }, { clientCert: "/c", clientKey: "" }])(
    "a client certificate without its key, or a key alone, is refused: %o",
    (raw) => expect(invalid(raw).message).toBe("Both client cert and client key must be provided"),
  );

  test.each([
    ["1", true],
    ["t", true],
    ["T", true],
    ["TRUE", true],
    ["true", true],
    ["True", true],
    [true, true],
    ["0", false],
    ["false", false],
    ["yes", false],
    ["on", false],
    ["", false],
    [false, false],
    [undefined, false],
  ])("skipVerify %o means %o", (text, expected) => {
    expect(resolveNomadOptions(text === undefined ? {} : { skipVerify: text }).tls.skipVerify).toBe(expected);
  });

  test.each([{ maxConnections: 0 }, { maxStaleMs: -1 }, { requestTimeoutMs: 1.5 }])(
    "%o is refused by name",
    (raw) => {
      expect(Object.keys(raw)).toEqual([invalid(raw).option]);
    },
  );
});

describe("environment", () => {
  test("every variable of Nomad's client is read", () => {
    const options = nomadOptionsFromEnv({
      NOMAD_ADDR: "https://a:4646/ui,https://b:4646",
      NOMAD_REGION: "eu",
      NOMAD_NAMESPACE: "qa",
      NOMAD_TOKEN: "secret-id",
      NOMAD_HTTP_AUTH: "u:p",
      NOMAD_CACERT: "/ca",
      NOMAD_CAPATH: "/cas",
      NOMAD_CLIENT_CERT: "/cert",
      NOMAD_CLIENT_KEY: "/key",
      NOMAD_TLS_SERVER_NAME: "server.global.nomad",
      NOMAD_SKIP_VERIFY: "true",
    });
    expect(options.addresses.map((address) => address.display)).toEqual(["https://a:4646", "https://b:4646"]);
    expect(options.addresses.map((address) => address.authorization?.reveal())).toEqual([
      basic("u:p"),
      basic("u:p"),
    ]);
    expect(options).toMatchObject({
      region: "eu",
      token: { kind: "fixed" },
      tls: {
        caCert: "/ca",
        caPath: "/cas",
        clientCert: "/cert",
        clientKey: "/key",
        serverName: "server.global.nomad",
        skipVerify: true,
      },
    });
  });

  test("an empty environment, or one of empty texts, gives the local agent and no secrets", () => {
    const empty = nomadOptionsFromEnv({
      NOMAD_ADDR: "",
      NOMAD_TOKEN: "",
      NOMAD_REGION: "",
      NOMAD_CLIENT_CERT: "",
    });
    expect(empty).toEqual(nomadOptionsFromEnv({}));
    expect(empty).toMatchObject({
      region: undefined,
      token: { kind: "none" },
      tls: { caCert: undefined, skipVerify: false },
    });
  });

  test("NOMAD_SKIP_VERIFY is read as Go reads a boolean, and ignored where it is none", () => {
    for (const yes of ["1", "t", "T", "TRUE", "true", "True"]) {
      expect(nomadOptionsFromEnv({ NOMAD_SKIP_VERIFY: yes }).tls.skipVerify).toBe(true);
    }
    for (const no of ["0", "f", "false", "yes", "on", "2"]) {
      expect(nomadOptionsFromEnv({ NOMAD_SKIP_VERIFY: no }).tls.skipVerify).toBe(false);
    }
    const { warnings } = resolveConfig({ flags: {}, env: { NOMAD_SKIP_VERIFY: "yes" } });
    expect(warnings.join()).toContain("NOMAD_SKIP_VERIFY");
  });

  test("NOMAD_TOKEN_FILE names the token file", () => {
    expect(nomadOptionsFromEnv({ NOMAD_TOKEN_FILE: "/secrets/nomad_token" }).token).toEqual({
      kind: "file",
      path: "/secrets/nomad_token",
    });
  });
});
