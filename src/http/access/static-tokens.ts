import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isResourceType, type ResourceType } from "../../schemas/resources.ts";
import { globMatches, type Rights } from "../../schemas/rights.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { TokensFileInvalid, Unauthorized } from "./errors.ts";
import type { Authenticator, Identity } from "./identity.ts";
import { parseTokensFile, type StaticToken } from "./tokens-file.ts";

/** Knows the tokens of a file, which is read again when it changes. A broken file leaves the tokens as they were. */
export class StaticTokens implements Authenticator {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  #tokens: readonly StaticToken[];
  #version: string;

  /** @throws TokensFileInvalid */
  constructor(path: string, options: { logger: Logger; nowMs?: () => number }) {
    this.#path = path;
    this.#logger = options.logger;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#version = versionOf(path);
    this.#tokens = readTokens(path);
  }

  get count(): number {
    return this.#tokens.length;
  }

  async identify(token: string | undefined): Promise<Identity | undefined> {
    if (token === undefined) return undefined;
    this.#readAgain();
    const hash = createHash("sha256").update(token).digest();
    let found: StaticToken | undefined;
    // All are compared, so that the time taken tells nothing.
    for (const candidate of this.#tokens) if (timingSafeEqual(candidate.sha256, hash)) found = candidate;
    if (found === undefined) return undefined;
    const { name, manages, expiresAtMs } = found;
    if (expiresAtMs !== undefined && expiresAtMs <= this.#nowMs())
      throw new Unauthorized("The token has expired", "Get a new token");
    return { name: `token ${name}`, manages, rights: rightsOfToken(found), expiresAtMs };
  }

  #readAgain(): void {
    try {
      const version = versionOf(this.#path);
      if (version === this.#version) return;
      this.#version = version;
      this.#tokens = readTokens(this.#path);
      this.#logger.info({ path: this.#path, tokens: this.#tokens.length }, "read the file of tokens again");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const line = { path: this.#path, reason };
      // Once for each version of the file; one that is away is said each time somebody asks for it.
      this.#logger.warn(line, "the file of tokens cannot be used: keeping the tokens as they were");
    }
  }
}

function readTokens(path: string): readonly StaticToken[] {
  return parseTokensFile(path, readText(path), { worldReadable: (statSync(path).mode & 0o004) !== 0 });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Changes with the file. */
function versionOf(path: string): string {
  try {
    const { mtimeMs, size, ino, mode } = statSync(path);
    return `${mtimeMs}/${size}/${ino}/${mode}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): TokensFileInvalid {
  const reason = error instanceof Error ? error.message : String(error);
  return new TokensFileInvalid([`--auth-tokens-file: ${path} cannot be read: ${reason}`]);
}

function rightsOfToken({ namespaces, resources }: StaticToken): Rights {
  const all = namespaces.includes("*");
  const mayKnow = (namespace: string) => namespaces.some((glob) => globMatches(glob, namespace));
  const hasResource = (resource: ResourceType) => resources.includes(resource);
  const isClusterWide = (resource: ResourceType) => resource === "nodes" || resource === "namespaces";
  return {
    mayList: (resource, namespace) =>
      hasResource(resource) && (isClusterWide(resource) || mayKnow(namespace)),
    mayListEverywhere: (resource) => hasResource(resource) && (all || resource === "nodes"),
    mayKnow,
    none: !resources.some((resource) => isResourceType(resource)),
  };
}
