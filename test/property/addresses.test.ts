import * as fc from "fast-check";
import { expect, test } from "vitest";
import { streamUrl } from "../../packages/client/src/options.ts";
import { FeedUnreachable, assertFeedUrl } from "../../src/commands/support/feed-url.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { locationOf } from "../../src/feed/redis/location.ts";
import { parseAddresses } from "../../src/nomad/address.ts";
import { hideSecrets } from "../../src/schemas/address-text.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startCli } from "../support/cli.ts";

/** The ends of every password here: neither may be seen, whatever stands between them. */
const HEAD = "hunt3r";
const TAIL = "s3cr3t";

const sign = fc.oneof(
  fc.constantFrom(
    ...Array.from(" \"'`/\\@:#?%&=+,;[]{}<>|^~!$*()"),
    "\t",
    "\n",
    "\u0000",
    "ü",
    "ß",
    "日本",
    "🔑",
    "%20",
    "@@",
    "?a=b",
  ),
  fc.string({ unit: "binary", maxLength: 3 }),
);
const password = fc.array(sign, { maxLength: 4 }).map((signs) => `${HEAD}${signs.join("")}${TAIL}`);
const scheme = fc.constantFrom(
  "http",
  "https",
  "ws",
  "redis",
  "rediss",
  "redis+sentinel",
  "redis+cluster",
  "rediis",
  "unix",
);

/** Addresses right and wrong, as people mistype them. */
const address = fc.tuple(scheme, password).chain(([name, secret]) =>
  fc.constantFrom(
    `${name}://me:${secret}@host:4646`,
    `${name}://:${secret}@host`,
    `${name}://${secret}@host`,
    `${name}://me:p@${secret}@host/path?x=1`,
    `${name}://me:${secret}@`,
    // Behind an @ stands a host, whoever forgot it.
    `${name}://me:${secret.replaceAll("@", "")}`,
    `${name}:/me:${secret}@host`,
    `${name}:${secret}@host`,
    `${name}//me:${secret}@host`,
    `me:${secret}@host:1`,
    `${name}://me:${secret}@one,${name}://me:${secret}@two`,
    `redis+sentinel://one,two/main?feed=a&sentinelPassword=${secret}`,
    `sqlite:${name}://me:${secret}@host`,
  ),
);

function expectHidden(text: string): void {
  expect(text).not.toContain(HEAD);
  expect(text).not.toContain(TAIL);
}

/** Everything that is shown of what a call gives or throws. */
function shown(call: () => unknown): string {
  try {
    return JSON.stringify(call()) ?? "";
  } catch (error) {
    const { message, hint = "" } = error as Error & { hint?: string };
    return `${message} ${hint}`;
  }
}

test("no password of an address is shown, however wrong the address is", () => {
  fc.assert(
    fc.property(address, (given) => {
      expectHidden(hideSecrets(given));
      expectHidden(
        shown(() => OPTIONS.feed.type.print(resolveConfig({ flags: { feed: given }, env: {} }).values.feed)),
      );
      expectHidden(
        shown(() =>
          OPTIONS.nomadAddr.type.print(
            resolveConfig({ flags: {}, env: { NOMAD_ADDR: given } }).values.nomadAddr,
          ),
        ),
      );
      for (const name of ["listen", "cluster", "wait", "allowOrigin", "resources"] as const) {
        expectHidden(shown(() => resolveConfig({ flags: { [name]: given }, env: {} }) && ""));
      }
      expectHidden(shown(() => parseAddresses([given], undefined).map(({ display }) => display)));
      expectHidden(shown(() => locationOf(given).where));
      expectHidden(shown(() => void streamUrl({ url: given })));
      expectHidden(shown(() => assertFeedUrl(given, ["none:"])));
      expectHidden(new FeedUnreachable(given, new Error("nobody there")).message);
    }),
    { numRuns: 100 },
  );
});

test("the log shows no password of an address that works", () => {
  const working = password.map(
    (secret) => `http://${encodeURIComponent(`me${secret}`)}:${encodeURIComponent(secret)}@host`,
  );
  fc.assert(
    fc.property(working, fc.constantFrom("json", "pretty"), (url, format) => {
      let text = "";
      const logger = createLogger({
        level: "info",
        format,
        destination: { write: (line) => void (text += line) },
      });
      logger.info({ url, err: new TypeError(`cannot read ${url}`) }, `asking ${url}`);
      expectHidden(text);
      expect(text).toContain("http://[redacted]@host");
    }),
    { numRuns: 50 },
  );
});

test("no command shows a password that was given to it", async () => {
  const commands = [
    (given: string) => ["config", "--nomad-addr", given],
    (given: string) => ["config", "--json", "--feed", given],
    (given: string) => ["tail", "--url", given, "--limit", "1"],
    (given: string) => ["assignments", "--url", given],
    (given: string) => ["demo", "--feed", given, "--listen", "nowhere"],
    (given: string) => ["run", `--${given}`],
  ];
  await fc.assert(
    fc.asyncProperty(address, fc.constantFrom(...commands), async (given, argsOf) => {
      const cli = startCli(argsOf(given.replaceAll("host", "127.0.0.1:1")));
      setTimeout(() => cli.interrupt(), 50);
      await cli.done;
      expectHidden(cli.stdout + cli.stderr);
    }),
    { numRuns: 30 },
  );
});
