import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildConsole } from "../../scripts/build-console.ts";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { runCli, startCli } from "../support/cli.ts";
import { freePort } from "../support/redis-server.ts";
import { until } from "../support/until.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-run-"));
});
afterEach(() => rm(folder, { recursive: true }));

const feed = () => ["--feed", `sqlite:${join(folder, "feed.db")}`];

describe("run", () => {
  it("leaves no log behind where it cannot serve one, and exits with 2", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as AddressInfo;
    const tokens = ["--auth", "tokens", "--auth-tokens-file", join(folder, "none.yaml")];
    const tls = ["--tls-cert", join(folder, "none.pem"), "--tls-key", join(folder, "none.key")];
    const free = ["--listen", `127.0.0.1:${await freePort()}`];
    const simulator = createSimulator({ seed: 1, allocations: 1, namespaces: 1 });
    const nomad = ["--nomad-addr", await simulator.listen()];
    for (const flags of [
      ["--listen", `127.0.0.1:${port}`],
      [...free, ...tokens],
      [...free, ...tls],
    ]) {
      const { code, stderr } = await runCli(["run", ...nomad, ...feed(), ...flags]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: /m) });
    }
    expect(await readdir(folder)).toEqual([]);
    await simulator.close();
    busy.close();
  });

  it("says that it listens on all addresses where it does", async () => {
    const simulator = createSimulator({ seed: 1, allocations: 1, namespaces: 1 });
    const nomad = ["--nomad-addr", await simulator.listen()];
    const open = ["--listen", "0.0.0.0:0", "--insecure-no-auth"];
    const cli = startCli(["run", ...nomad, ...feed(), ...open, "--log-format", "pretty"]);
    await until("the address", () => cli.stderr.includes("serving the feed at"));
    expect(cli.stderr).toMatch(
      /serving the feed at http:\S+:\d+\/v1\/events, listening on all addresses \(0\.0\.0\.0\)/,
    );
    cli.interrupt();
    expect(await cli.done).toBe(0);
    await simulator.close();
  });

  it.each(["on", "off"])("says where the console is, where it is %s", async (state) => {
    await buildConsole();
    const simulator = createSimulator({ seed: 1, allocations: 1, namespaces: 1 });
    const nomad = ["--nomad-addr", await simulator.listen()];
    const flags = ["--listen", "127.0.0.1:0", "--console", state, "--log-format", "pretty"];
    const cli = startCli(["run", ...nomad, ...feed(), ...flags]);
    await until("all is read", () => cli.stderr.includes("up to date"));
    expect(/the console is at http:\/\/127\.0\.0\.1:\d+\//.test(cli.stderr)).toBe(state === "on");
    cli.interrupt();
    expect(await cli.done).toBe(0);
    await simulator.close();
  });
});
