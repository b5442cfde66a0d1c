import { hideSecrets, hideSecretsIn, isCutPassword } from "../../schemas/address-text.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { UsageError } from "./usage-error.ts";

/** @throws UsageError where `--url` is no address of one of these schemes. */
export function assertFeedUrl(url: string, schemes: readonly string[]): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && schemes.includes(parsed.protocol) && !isCutPassword(parsed)) return;
  throw new UsageError(
    `--url: ${JSON.stringify(hideSecrets(url))} is not allowed; allowed: addresses such as http://127.0.0.1:4650`,
  );
}

export class FeedUnreachable extends ChangefeedError {
  readonly code = "FEED_UNREACHABLE";
  constructor(
    url: string,
    cause: unknown,
    hint = "Is `nomad-changefeed run` running there? --url names another address",
  ) {
    const said = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : "";
    super(`The feed at ${hideSecrets(url)} does not answer${said === "" ? "" : `: ${hideSecretsIn(said)}`}`, {
      hint,
      cause,
    });
  }
}
