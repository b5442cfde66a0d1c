import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SecureVersion } from "node:tls";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { createNomadClient, type NomadClient } from "../../src/nomad/client.ts";
import { NomadError, NomadOptionInvalid } from "../../src/nomad/errors.ts";
import { resolveNomadOptions, type RawNomadOptions } from "../../src/nomad/options.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { sendList, sendText, serveHttp, type TestServer } from "../support/nomad-servers.ts";
import { createTestAuthority, serveWithOpenssl } from "../support/tls-certificates.ts";

const authority = createTestAuthority("Nomad CA");
const stranger = createTestAuthority("Another CA");
const onLoopback = authority.issue("loopback", "IP:127.0.0.1,DNS:localhost");
const byRole = authority.issue("server", "DNS:server.global.nomad");
const ourCert = authority.issue("cli", "DNS:cli.global.nomad");
const strangersCert = stranger.issue("cli", "DNS:cli.global.nomad");
const clients: NomadClient[] = [];

afterAll(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client[Symbol.asyncDispose]()));
});

function serveTls(
  certificate: { cert: string; key: string },
  options: { verifyClients?: boolean; maxVersion?: SecureVersion; minVersion?: SecureVersion } = {},
): Promise<TestServer> {
  const { verifyClients = false, ...versions } = options;
  return serveHttp((_request, response) => sendList(response, "[]"), {
    tls: {
      cert: readFileSync(certificate.cert),
      key: readFileSync(certificate.key),
      ca: readFileSync(authority.ca),
      requestCert: verifyClients,
      rejectUnauthorized: verifyClients,
      ALPNProtocols: ["h2", "http/1.1"],
      ...versions,
    },
  });
}

async function listFrom(agent: { url: string }, raw: RawNomadOptions): Promise<string> {
  const client = createNomadClient(resolveNomadOptions({ addresses: [agent.url], ...raw }), {
    logger: silentLogger(),
    clock: systemClock,
  });
  clients.push(client);
  return list(client);
}

/** The body, or the code and hint of the error. */
async function list(client: NomadClient): Promise<string> {
  try {
    const answer = await client.list({
      resource: "nodes",
      namespace: "-",
      signal: new AbortController().signal,
    });
    return answer.body.toString();
  } catch (error) {
    if (error instanceof NomadError) return `${error.code}: ${error.hint}`;
    throw error;
  }
}

describe("the agent's certificate", () => {
  test("is verified against the authority's file, or a directory of them", async () => {
    await using agent = await serveTls(onLoopback);
    const directory = join(authority.directory, "authorities");
    mkdirSync(join(directory, "more"), { recursive: true });
    cpSync(stranger.ca, join(directory, "a.pem"));
    cpSync(authority.ca, join(directory, "more", "b.pem"));
    expect(await listFrom(agent, { caCert: authority.ca })).toBe("[]");
    expect(await listFrom(agent, { caPath: directory })).toBe("[]");
    expect(await listFrom(agent, { caCert: authority.ca, caPath: "/not/looked/at" })).toBe("[]");
  });

  test("of an unknown authority is refused, unless told not to verify", async () => {
    await using agent = await serveTls(onLoopback);
    expect(await listFrom(agent, {})).toMatch(/^NOMAD_TLS: .*NOMAD_CACERT/);
    expect(await listFrom(agent, { caCert: stranger.ca })).toMatch(/^NOMAD_TLS: .*NOMAD_CACERT/);
    expect(await listFrom(agent, { skipVerify: "true" })).toBe("[]");
  });

  test("of another name is refused, unless that name is the one expected", async () => {
    await using agent = await serveTls(byRole);
    expect(await listFrom(agent, { caCert: authority.ca })).toMatch(/^NOMAD_TLS: .*NOMAD_TLS_SERVER_NAME/);
    expect(await listFrom(agent, { caCert: authority.ca, tlsServerName: "server.global.nomad" })).toBe("[]");
    expect(await listFrom(agent, { caCert: authority.ca, tlsServerName: "server.eu.nomad" })).toMatch(
      /^NOMAD_TLS/,
    );
  });
});

describe("verify_https_client", () => {
  test.each<SecureVersion>(["TLSv1.2", "TLSv1.3"])("with %s", async (version) => {
    await using agent = await serveTls(byRole, {
      verifyClients: true,
      maxVersion: version,
      minVersion: version,
    });
    const name = { caCert: authority.ca, tlsServerName: "server.global.nomad" };
    expect(await listFrom(agent, { ...name, clientCert: ourCert.cert, clientKey: ourCert.key })).toBe("[]");
    expect(await listFrom(agent, name)).toMatch(/^NOMAD_TLS: .*NOMAD_CLIENT_CERT/);
  });

  test.each(["-tls1_2", "-tls1_3"])("a certificate of another authority, with %s", async (version) => {
    const identity = ["-cert", byRole.cert, "-key", byRole.key, "-CAfile", authority.ca];
    await using agent = await serveWithOpenssl(
      identity.concat("-Verify", "1", "-verify_return_error", version),
    );
    const refused = await listFrom(agent, {
      caCert: authority.ca,
      tlsServerName: "server.global.nomad",
      clientCert: strangersCert.cert,
      clientKey: strangersCert.key,
    });
    expect(refused).toMatch(/^NOMAD_TLS: .*NOMAD_CLIENT_CERT/);
  });

  test("renewed files are used by the next connection, and broken ones are not", async () => {
    await using agent = await serveTls(byRole, { verifyClients: true });
    const [clientCert, clientKey] = [
      join(authority.directory, "live.pem"),
      join(authority.directory, "live.key"),
    ];
    cpSync(strangersCert.cert, clientCert);
    cpSync(strangersCert.key, clientKey);
    const client = createNomadClient(
      resolveNomadOptions({
        addresses: [agent.url],
        caCert: authority.ca,
        tlsServerName: "server.global.nomad",
        clientCert,
        clientKey,
      }),
      { logger: silentLogger(), clock: systemClock },
    );
    clients.push(client);
    expect(await list(client)).not.toBe("[]");
    cpSync(ourCert.cert, clientCert);
    cpSync(ourCert.key, clientKey);
    expect(await list(client)).toBe("[]");
    writeFileSync(clientKey, "half-written");
    expect(await list(client)).toBe("[]");
  });
});

describe("mixed up schemes", () => {
  test("http to a TLS port, as Go's server answers it", async () => {
    await using agent = await serveHttp((_request, response) =>
      sendText(response, 400, "Client sent an HTTP request to an HTTPS server.\n"),
    );
    expect(await listFrom(agent, {})).toMatch(/^NOMAD_TLS: .*https:\/\//);
  });

  test("https to a port without TLS", async () => {
    await using agent = await serveHttp((_request, response) => sendList(response, "[]"));
    const url = agent.url.replace("http:", "https:");
    expect(await listFrom(agent, { addresses: [url] })).toMatch(/^NOMAD_TLS: .*http:\/\//);
  });

  test("TLS 1.1 is not spoken", async () => {
    await using agent = await serveTls(onLoopback, { maxVersion: "TLSv1.1", minVersion: "TLSv1.1" });
    expect(await listFrom(agent, { caCert: authority.ca })).toMatch(/^NOMAD_TLS/);
  });

  test("TLS options do nothing for http", async () => {
    await using agent = await serveHttp((_request, response) => sendList(response, "[]"));
    expect(await listFrom(agent, { caCert: "/does/not/exist" })).toBe("[]");
  });
});

describe("files that cannot be used are named at the start", () => {
  const create = (raw: RawNomadOptions) => () =>
    createNomadClient(resolveNomadOptions({ addresses: ["https://nomad.example:4646"], ...raw }), {
      logger: silentLogger(),
      clock: systemClock,
    });
  test.each<[string, RawNomadOptions, RegExp]>([
    ["no authority file", { caCert: "/does/not/exist" }, /caCert \/does\/not\/exist cannot be read/],
    ["no certificate in it", { caCert: onLoopback.key }, /caCert .*loopback\.key holds no certificate/],
    ["no directory", { caPath: "/does/not/exist" }, /caPath \/does\/not\/exist cannot be read/],
    [
      "no client certificate",
      { clientCert: "/none", clientKey: ourCert.key },
      /clientCert \/none cannot be read/,
    ],
    [
      "a key of another certificate",
      { clientCert: ourCert.cert, clientKey: byRole.key },
      /cannot be used together/,
    ],
  ])("%s", (_name, raw, message) => {
    expect(create(raw)).toThrow(NomadOptionInvalid);
    expect(create(raw)).toThrow(message);
  });
});
