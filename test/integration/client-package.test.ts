import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BrowserPage, CHROMIUM, NO_CHROMIUM } from "../support/chromium.ts";
import { draft, objectChange, refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { skippedBecause } from "../support/skipped.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const CLIENT = join(ROOT, "packages/client");
const TSC = join(ROOT, "node_modules/.bin/tsc");

/** Prints the ids of the first two events. */
const program = (client: string, url: string) => `
  const { subscribe } = await import(${JSON.stringify(client)});
  const ids = [];
  for await (const { id } of subscribe({ url: ${JSON.stringify(url)}, cursor: "earliest", limit: 2 })) ids.push(id);
`;

/** A project that has the client, as npm would put it there, and what the client depends on: nothing else. */
let project: string;
let installed: string;
let feed: TestFeed;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "ncf-client-"));
  installed = join(project, "node_modules/nomad-changefeed-client");
  await mkdir(installed, { recursive: true });
  await run(TSC, ["-p", join(CLIENT, "tsconfig.build.json"), "--outDir", join(installed, "dist")]);
  await copyFile(join(CLIENT, "package.json"), join(installed, "package.json"));
  const { dependencies } = await manifest("packages/client");
  for (const name of Object.keys(dependencies))
    await symlink(join(ROOT, "node_modules", name), join(project, "node_modules", name));
  feed = await TestFeed.open();
  await feed.commit(draft({ id: "one" }));
  await feed.commitObjects(objectChange(refOf("jobs", "web"), "1", { id: "two" }));
});
afterAll(async () => {
  await feed[Symbol.asyncDispose]();
  await rm(project, { recursive: true });
});

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

async function manifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}

describe("the package of the client", () => {
  it("depends on ws alone, in the bridge's version of it, and has the bridge's version", async () => {
    const [client, bridge] = [await manifest("packages/client"), await manifest(".")];
    expect(client.dependencies).toEqual({ ws: bridge.dependencies["ws"] });
    expect(client.version).toBe(bridge.version);
  });

  it("follows a feed where nothing else is installed", async () => {
    const { url } = await feed.serve();
    const script = join(project, "follow.mjs");
    await writeFile(script, `${program("nomad-changefeed-client", url)}console.log(ids.join());`);
    const { stdout } = await run(process.execPath, [script]);
    expect(stdout).toBe("one,two\n");
  });

  it("has types for a strict project that knows browsers and no Node", async () => {
    await writeFile(
      join(project, "typed.ts"),
      `import { applyChanges, subscribe, type NomadStub } from "nomad-changefeed-client";
      const nodes = new Map<string, NomadStub<"nodes">>();
      for await (const event of subscribe({ url: "", types: ["nomad.node.updated"], payload: "patch" })) {
        if (event.type !== "nomad.node.updated") continue;
        const known = nodes.get(event.subject);
        if (known) nodes.set(event.subject, applyChanges(known, event.data.changes ?? []));
        // @ts-expect-error -- a node has none
        event.data.after?.ClientStatus.length;
      }
      export {};`,
    );
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          target: "es2022",
          lib: ["es2022", "dom"],
          types: [],
          module: "esnext",
          moduleResolution: "bundler",
        },
        files: ["typed.ts"],
      }),
    );
    const { stdout } = await run(TSC, ["-p", project]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  });
});

describe.skipIf(CHROMIUM === undefined)(`Chromium${skippedBecause(NO_CHROMIUM)}`, () => {
  it("runs the version for browsers as it is, without a bundler", async () => {
    const site = createServer(({ url = "" }, response) => {
      response.setHeader("content-type", url === "/" ? "text/html" : "text/javascript");
      void readFile(join(installed, url))
        .catch(() => "")
        .then((body) => response.end(body));
    }).listen(0, "127.0.0.1");
    await once(site, "listening");
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    const { url } = await feed.serve({ allowOrigins: [origin] });
    try {
      await using page = await BrowserPage.open(CHROMIUM ?? "", `${origin}/`);
      const { exports } = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
        exports: { ".": { browser: string } };
      };
      const client = new URL(exports["."].browser, origin).href;
      expect(await page.run(`(async () => { ${program(client, url)} return ids; })()`)).toEqual([
        "one",
        "two",
      ]);
      const requests = `const { feedApi } = await import(${JSON.stringify(client)});
        const api = feedApi({ url: ${JSON.stringify(url)} });
        const { events, cursor } = await api.events();
        const state = await api.state();
        const objects = [];
        for await (const { subject } of state) objects.push(subject);
        const { code } = await api.endSilence("none").catch((error) => error);`;
      expect(
        await page.run(`(async () => { ${requests}
          return [events.map(({ id }) => id), cursor === state.cursor, objects, code]; })()`),
      ).toEqual([["one", "two"], true, ["jobs/default/web"], "NO_SILENCE"]);
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });
});
