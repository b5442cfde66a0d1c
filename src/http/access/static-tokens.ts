import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isResourceType, RESOURCES, type ResourceType } from "../../schemas/resources.ts";
import { globMatches, type Rights } from "../../schemas/rights.ts";
import type { Clock } from "../../shared/clock.ts";
import { fileVersions, ReloadingFiles } from "../../shared/reloading-files.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { TokensFileInvalid, Unauthorized } from "./errors.ts";
import type { Authenticator, Identity } from "./identity.ts";
import { parseTokensFile, type StaticToken } from "./tokens-file.ts";

/** Knows the tokens of a file, which is read again when it changes. A broken file leaves the tokens as they were. */
export class StaticTokens implements Authenticator {
  readonly #clock: Pick<Clock, "now">;
  readonly #file: ReloadingFiles<readonly StaticToken[]>;

  /** @throws TokensFileInvalid */
  constructor(path: string, options: { logger: Logger; clock: Pick<Clock, "now" | "elapsed"> }) {
    const { logger, clock } = options;
    this.#clock = clock;
    this.#file = new ReloadingFiles({
      version: () => fileVersions([path]),
      read: () => readTokens(path),
      onReload: ({ length }) => logger.info({ path, tokens: length }, "reloaded the tokens file"),
      onUnusable: (problem) =>
        logger.warn(
          { path, reason: reasonOf(problem) },
          "cannot use the tokens file; keeping the previous tokens",
        ),
      clock,
    });
  }

  get count(): number {
    return this.#file.current().length;
  }

  async identify(token: string | undefined): Promise<Identity | undefined> {
    if (token === undefined) return undefined;
    const hash = createHash("sha256").update(token).digest();
    let found: StaticToken | undefined;
    // All are compared, so that the time taken tells nothing.
    for (const candidate of this.#file.current())
      if (timingSafeEqual(candidate.sha256, hash)) found = candidate;
    if (found === undefined) return undefined;
    const { name, manages, expiresAtMs } = found;
    if (expiresAtMs !== undefined && expiresAtMs <= this.#clock.now())
      throw new Unauthorized("The token has expired", "Get a new token");
    return { name: `token ${name}`, manages, rights: rightsOfToken(found), expiresAtMs };
  }
}

function readTokens(path: string): readonly StaticToken[] {
  const { text, mode } = readText(path);
  return parseTokensFile(path, text, { worldReadable: (mode & 0o004) !== 0 });
}

function readText(path: string): { text: string; mode: number } {
  try {
    return { text: readFileSync(path, "utf8"), mode: statSync(path).mode };
  } catch (error) {
    throw new TokensFileInvalid([`--auth-tokens-file: ${path} cannot be read: ${reasonOf(error)}`]);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function rightsOfToken({ namespaces, resources }: StaticToken): Rights {
  const all = namespaces.includes("*");
  const mayKnow = (namespace: string) => namespaces.some((glob) => globMatches(glob, namespace));
  const hasResource = (resource: ResourceType) => resources.includes(resource);
  const isClusterWide = (resource: ResourceType) => !RESOURCES[resource].namespaced;
  return {
    mayList: (resource, namespace) =>
      hasResource(resource) && (isClusterWide(resource) || mayKnow(namespace)),
    mayListEverywhere: (resource) =>
      hasResource(resource) && (all || (isClusterWide(resource) && resource !== "namespaces")),
    mayRead: ({ resource, namespace }) =>
      hasResource(resource) && (isClusterWide(resource) || mayKnow(namespace)),
    mayKnow,
    none: !resources.some((resource) => isResourceType(resource)),
  };
}
