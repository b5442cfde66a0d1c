import { afterAll, describe, expect, test } from "vitest";
import { openAlertDestination } from "../../../src/publishers/alert-destinations.ts";
import { emailSettingsSchema } from "../../../src/schemas/destinations/email.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { alertOf, endedAlert, messageOf } from "../../support/alert-messages.ts";
import { MailServer, type Refusing } from "../../support/mail-server.ts";
import { createTestAuthority } from "../../support/tls-certificates.ts";
import { alertDeps, alertDestinationContract, type AlertCounterpart } from "./register-alert-destination.ts";

const USER = { name: "feed", password: "not-for-your-eyes" };
const SECRETS = [USER.password, Buffer.from(`\0${USER.name}\0${USER.password}`).toString("base64")];
const authority = createTestAuthority("mail");
const certificate = authority.issue("server", "IP:127.0.0.1");
const start = MailServer.start.bind(undefined, certificate);
const signal = AbortSignal.timeout(120_000);

afterAll(() => authority[Symbol.dispose]());

alertDestinationContract("email", async () => counterpartOf(await start(USER)));

describe("a mail", () => {
  test("is in one thread with those of its group, under one subject, and its first line says what is", async () => {
    await using server = await start(USER);
    await using destination = await open(server);
    const web = alertOf({ summary: "Alles ist kaputt – überall & \u2028 immer" });
    const first = await destination.send(messageOf([web]), signal);
    const { remember = null } = first;
    const end = { ...messageOf([], { resolved: [endedAlert(web)] }), remembered: remember };
    const last = await destination.send({ ...end, group: { ...end.group, lastSentAt: 1 } }, signal);
    expect(last.remember).toBeNull();
    const [fired, ended] = server.mails;
    expect(fired?.headers.get("subject")).toBe("ERROR [prod] Alles ist kaputt – überall & immer");
    expect(ended?.headers.get("subject")).toBe(`Re: ${fired?.headers.get("subject")}`);
    expect(ended?.headers.get("in-reply-to")).toBe(fired?.headers.get("message-id"));
    expect(ended?.headers.get("references")).toBe(fired?.headers.get("message-id"));
    expect(ended?.headers.get("message-id")).not.toBe(fired?.headers.get("message-id"));
    expect(ended?.text).toContain("\r\n\r\nResolved: [prod] Alles ist kaputt");
    expect(fired?.to).toEqual(["oncall@example.com", "boss@example.com"]);
  });

  test("has no markup of who names a job in its HTML", async () => {
    await using server = await start(USER);
    await using destination = await open(server);
    await destination.send(messageOf([alertOf({ summary: "<b>bold</b> & <i>more</i>" })]), signal);
    expect(server.mails[0]?.text).toContain("&lt;b&gt;bold&lt;/b&gt; &amp; &lt;i&gt;more&lt;/i&gt;");
  });

  test("that is sent again as its answer was lost is the same mail", async () => {
    await using server = await start(USER);
    await using destination = await open(server);
    for (let times = 0; times < 2; times++) await destination.send(messageOf([alertOf()]), signal);
    expect(new Set(server.mails.map(({ headers }) => headers.get("message-id"))).size).toBe(1);
  });

  test("goes nowhere without TLS where TLS is asked for", async () => {
    await using server = await start(USER, { hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
    await using destination = await open(server);
    expect(await destination.send(messageOf([alertOf()]), signal)).toMatchObject({
      outcome: "refused",
      why: "config",
    });
    expect(server.mails).toEqual([]);
  });

  test("that not all addresses may get is sent to the others, and a log line names them", async () => {
    await using server = await start(USER, {
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith("boss") ? Object.assign(new Error("unknown"), { responseCode: 550 }) : null),
    });
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const logger = createLogger({ level: "warn", format: "json", destination: { write } });
    await using destination = await open(server, { ...alertDeps(), logger });
    expect(await destination.send(messageOf([alertOf()]), signal)).toMatchObject({ outcome: "ok" });
    expect(server.mails).toMatchObject([{ to: ["oncall@example.com"] }]);
    expect(lines.join("")).toContain("boss@example.com");
  });
});

function counterpartOf(server: MailServer): AlertCounterpart {
  const refuse = (at: Refusing["at"], code: number) => () => {
    server.refusing = { at, code };
  };
  return {
    open: (deps) => open(server, deps),
    received: () =>
      server.mails.map(({ headers, text }) => ({
        thread: headers.get("references") ?? headers.get("message-id") ?? "",
        isOver: text.includes("Resolved: "),
        text,
      })),
    refusals: [
      { name: "password", arrange: refuse("auth", 535), outcome: "refused", why: "forbidden" },
      { name: "busy", arrange: refuse("auth", 454), outcome: "retry" },
      { name: "sender", arrange: refuse("from", 550), outcome: "refused", why: "config" },
      { name: "greylisting", arrange: refuse("to", 451), outcome: "retry" },
      { name: "recipients", arrange: refuse("to", 550), outcome: "refused", why: "config" },
      { name: "content", arrange: refuse("data", 554), outcome: "refused", why: "poison" },
      { name: "size", arrange: refuse("data", 552), outcome: "refused", why: "too-large" },
    ],
    hang: () => server.hang(),
    goAway: () => server.leave(),
    comeBack: () => server.comeBack(),
    secrets: SECRETS,
    connections: () => server.open(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function open(server: MailServer, deps = alertDeps()) {
  const settings = emailSettingsSchema.parse({
    type: "email",
    host: "127.0.0.1",
    port: server.port,
    username: "env:USER",
    password: "env:PASSWORD",
    tls: { caCert: authority.ca },
    from: "Nomad <nomad@example.com>",
    to: "oncall@example.com, The boss <boss@example.com>",
  });
  const readSecret = (reference: string) => (reference === "env:USER" ? USER.name : USER.password);
  return openAlertDestination(settings, { ...deps, readSecret });
}
