import { globSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { OPTIONS } from "../../src/config/options.ts";
import { composeServices, dockerfile, execForm, readRepositoryFile } from "../support/container-files.ts";

const services = composeServices();
const bridges = [...services].filter(([name]) => name.startsWith("bridge"));

describe("docker-compose.yml", () => {
  it("has two bridges, which differ in nothing but the port", () => {
    const [one, two, ...others] = bridges.map(([, { whole }]) => whole as Record<string, unknown>);
    expect(others).toEqual([]);
    expect({ ...one, ports: [] }).toEqual({ ...two, ports: [] });
    expect(one?.["ports"]).not.toEqual(two?.["ports"]);
  });

  it.each(bridges)(
    "%s has a configuration that is accepted, of options that there are",
    (_name, { service }) => {
      const env: Record<string, string> = { ...service.environment };
      const { warnings, config } = resolveConfig({ flags: {}, env });
      expect(warnings).toEqual([]);
      // The container's own port is published, so it has to be reached from outside the container.
      expect(config.listen).toEqual({ host: "0.0.0.0", port: 4650 });
    },
  );

  it.each(bridges)("%s finds Redis and Nomad under their names, once they answer", (_name, { service }) => {
    const { NCF_FEED: feed = "", NOMAD_ADDR: nomad = "" } = service.environment;
    const needed = [new URL(feed).hostname, new URL(nomad).hostname];
    expect(Object.keys(service.depends_on).toSorted()).toEqual(needed.toSorted());
    for (const name of needed) {
      expect(service.depends_on[name]?.condition).toBe("service_healthy");
      expect(services.get(name)?.service.healthcheck?.test).toBeDefined();
    }
  });

  it("publishes its ports for this machine only, each once", () => {
    const ports = [...services.values()].flatMap(({ service }) => service.ports);
    const published = ports.map((port) => /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1]);
    expect(published).not.toContain(undefined);
    expect(new Set(published).size).toBe(services.size);
  });

  it("runs Redis with the profile of docs/redis-log.md", () => {
    const page = readRepositoryFile("docs/redis-log.md");
    const profile = /A profile that fits:\n\n```conf\n([^]*?)\n```/.exec(page)?.[1] ?? "";
    const settings = profile.split("\n");
    expect(settings).toContain("maxmemory-policy noeviction");
    const command = String(services.get("redis")?.service.command).trim();
    expect(command.split(" --").slice(1)).toEqual(settings);
  });

  it("pins the version of every image it does not build", () => {
    const images = [...services.values()].flatMap(({ service }) =>
      service.build === undefined ? [service.image] : [],
    );
    expect(images).toHaveLength(2);
    for (const image of images) expect(image).toMatch(/:\d+\.\d+/);
  });
});

describe("Dockerfile", () => {
  it("builds and runs with the Node that the project asks for", () => {
    const wanted = readRepositoryFile(".nvmrc").trim().replace(/^v/, "");
    const { engines } = JSON.parse(readRepositoryFile("package.json")) as { engines: { node: string } };
    expect(engines.node).toBe(`>=${wanted}`);
    const images = dockerfile().filter(({ name }) => name === "FROM");
    expect(images).toHaveLength(2);
    for (const { text } of images) expect(text).toMatch(new RegExp(`^node:${wanted}-`));
  });

  it("does not run as root, and hands signals to Node itself", () => {
    const user = dockerfile().findLast(({ name }) => name === "USER");
    expect(user?.text).toBe("node");
    expect(execForm("ENTRYPOINT")[0]).toBe("node");
    expect(execForm("CMD")).toEqual(["run"]);
  });

  it("keeps a log of the default place in its volume, which the user may write to", () => {
    const texts = (wanted: string) =>
      dockerfile().flatMap(({ name, text }) => (name === wanted ? [text] : []));
    expect(OPTIONS.feed.default).toMatch(/^sqlite:\.\//);
    expect(texts("VOLUME")).toEqual([texts("WORKDIR").at(-1)]);
    expect(texts("RUN").at(-1)).toBe(`install -d -o node -g node ${texts("VOLUME")[0]}`);
  });

  it("is given all that it copies from here", () => {
    const given = readRepositoryFile(".dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    const isGiven = (path: string) => given.some((whole) => path === whole || path.startsWith(`${whole}/`));
    const copied = copiedFromHere();
    expect(copied.filter((path) => !isGiven(path))).toEqual([]);
    expect(given.filter((path) => !copied.includes(path))).toEqual([]);
  });

  it("installs what package-lock.json names for every workspace, and keeps all that is built", () => {
    const { workspaces, files } = JSON.parse(readRepositoryFile("package.json")) as Record<string, string[]>;
    const manifests = globSync(workspaces?.map((pattern) => `${pattern}/package.json`) ?? []);
    expect(manifests.length).toBeGreaterThan(2);
    for (const manifest of manifests) expect(copiedFromHere()).toContain(manifest);
    const built = files?.filter((path) => path.endsWith("dist")) ?? [];
    const kept = dockerfile().flatMap(({ text }) => /^--from=build \/app\/(\S+) /.exec(text)?.[1] ?? []);
    expect(built.length).toBeGreaterThan(1);
    for (const path of built) expect(kept).toContain(path);
  });
});

function copiedFromHere(): string[] {
  return dockerfile()
    .filter(({ name, text }) => name === "COPY" && !text.startsWith("--from"))
    .flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
}
