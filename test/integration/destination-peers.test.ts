import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Opens a destination where none of the optional libraries is installed, and prints what is said then. */
const OPEN = `
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) {
      const isPeer = /^@(nats-io|platformatic|opentelemetry)\\//.test(specifier);
      if (isPeer) throw Object.assign(new Error("not there"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(specifier, context);
    },
  });
  const { openDestination } = await import("./src/publishers/destinations.ts");
  const { DESTINATION_SCHEMAS } = await import("./src/schemas/destinations/index.ts");
  const settings = JSON.parse(process.argv.at(-1));
  const parsed = DESTINATION_SCHEMAS.get(settings.type).parse(settings);
  const outcome = await openDestination(parsed, { name: "queue" }).catch((error) => error);
  console.log(JSON.stringify({ message: outcome.message, hint: outcome.hint, code: outcome.code }));
`;

describe("a destination whose library is not installed", () => {
  it.each([
    [{ type: "kafka", brokers: "kafka:9092", topic: "nomad" }, "npm install @platformatic/kafka@2"],
    [
      { type: "nats", servers: "nats://nats:4222" },
      "npm install @nats-io/transport-node@3 @nats-io/jetstream@3",
    ],
  ])("is refused with what installs it: %o", async (settings, hint) => {
    const said = await open(settings);
    expect(said).toMatchObject({ code: "CONFIG_INVALID", hint });
    expect(said.message).toContain(`type ${settings.type} needs`);
  });
});

async function open(settings: object): Promise<{ code: string; message: string; hint: string }> {
  const args = [
    "--input-type=module",
    "--disable-warning=ExperimentalWarning",
    "-e",
    OPEN,
    JSON.stringify(settings),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout) as { code: string; message: string; hint: string };
}
