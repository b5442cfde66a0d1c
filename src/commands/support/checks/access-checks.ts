import type { Config } from "../../../config/config.ts";
import { StaticTokens } from "../../../http/access/static-tokens.ts";
import { readTlsFiles } from "../../../http/access/tls.ts";
import type { Clock } from "../../../shared/clock.ts";
import { silentLogger } from "../../../telemetry/logger.ts";
import { failureOf, ok, type Check } from "./check.ts";

/** The files that say who may subscribe, and over what, where the configuration names some. */
export function* checkAccess({ access: { tokensFile, tls } }: Config, clock: Clock): Generator<Check> {
  if (tokensFile !== undefined) {
    yield attempt("tokens", () => {
      const { count } = new StaticTokens(tokensFile, { logger: silentLogger(), clock });
      return `${tokensFile}: ${count} ${count === 1 ? "token" : "tokens"}`;
    });
  }
  if (tls !== undefined) {
    yield attempt("tls", () => {
      readTlsFiles(tls);
      return `${tls.cert} and its key can be used`;
    });
  }
}

function attempt(name: string, check: () => string): Check {
  try {
    return ok(name, check());
  } catch (error) {
    return failureOf(name, error);
  }
}
