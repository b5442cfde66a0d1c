import { describe, expect, it } from "vitest";
import { createLogger, moduleLoggers, type Logger } from "../../src/telemetry/logger.ts";
import { HOSTILE_NAME, steeringIn } from "../support/terminal.ts";

const SECRET = "hunter2";

function written(format: "json" | "pretty", write: (logger: Logger) => void, colours = false): string {
  let text = "";
  write(
    createLogger({ level: "info", format, colours, destination: { write: (line) => void (text += line) } }),
  );
  return text;
}

describe.each(["json", "pretty"] as const)("the log as %s", (format) => {
  it("has no secret, wherever one stands", () => {
    const text = written(format, (logger) => {
      for (const name of [
        "token",
        "password",
        "secret",
        "SecretID",
        "authorization",
        "nomadToken",
        "httpAuth",
      ]) {
        logger.info({ [name]: SECRET }, "plain");
        logger.info({ config: { [name]: SECRET } }, "nested");
        logger.info({ request: { headers: { [name]: SECRET, "x-nomad-token": SECRET } } }, "deeper");
        logger.child({ [name]: SECRET }).info("bound");
      }
    });
    expect(text).not.toContain(SECRET);
    expect(text.split("[redacted]")).toHaveLength(4 * 7 + 7 + 1);
  });

  it("has no password of an address, in messages, members and errors", () => {
    const url = `redis://me:${SECRET}@redis.example:6379/0?sentinelPassword=${SECRET}`;
    const text = written(format, (logger) => {
      logger.info({ where: [url] }, `opened ${url}`);
      logger.error({ err: new Error(`no answer from ${url}`, { cause: new Error(url) }) }, "lost");
    });
    expect(text).not.toContain(SECRET);
    expect(text).toContain("redis://[redacted]@redis.example:6379/0?sentinelPassword=[redacted]");
  });

  it("has no password of an address either that names no user, or names a member", () => {
    const url = `redis://redis.example:6379/0?sentinelPassword=${SECRET}`;
    const withUser = `https://me:${SECRET}@nomad.example:4646`;
    const text = written(format, (logger) => {
      logger.info(`opened ${url}`);
      logger.info({ tried: { [withUser]: 1 } }, "lost");
    });
    expect(text).not.toContain(SECRET);
    expect(text).toContain("redis://redis.example:6379/0?sentinelPassword=[redacted]");
    expect(text).toContain("https://[redacted]@nomad.example:4646");
  });

  it("cannot steer a terminal", () => {
    const text = written(format, (logger) => {
      const error = new Error(`bad name ${HOSTILE_NAME}\nforged`);
      logger.info({ job: HOSTILE_NAME, [HOSTILE_NAME]: 1 }, `restored: ${HOSTILE_NAME}\nforged`);
      logger.error({ err: error }, "failed");
    });
    expect(steeringIn(text)).toEqual([]);
    expect(text).not.toMatch(/^forged/m);
  });
});

it("for people has the time in UTC, and colours only where they are wanted", () => {
  const say = (logger: Logger) => logger.warn("careful");
  expect(written("pretty", say)).toMatch(/^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] WARN: careful\n$/);
  expect(written("pretty", say, true)).toContain("\u001B[33m");
});

it("names the module that speaks in JSON, and spares people the word", () => {
  const say = (logger: Logger) => {
    const { nomad, feed } = moduleLoggers(logger);
    nomad.info("polled");
    feed.child({ scope: "jobs/default" }).warn("committed");
  };
  const lines = written("json", say).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { module: "nomad", msg: "polled" },
    { module: "feed", scope: "jobs/default", msg: "committed" },
  ]);
  expect(written("pretty", say)).not.toContain("module");
});
