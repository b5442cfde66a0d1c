import { ChangefeedError } from "./errors.ts";

export interface PublicText {
  readonly message: string;
  readonly hint?: string;
}

const LATER = "Try again later with your last cursor";

/**
 * What everybody may read of trouble that is the operator's. The errors' own words name addresses, files and users,
 * which only the log has.
 */
const WORDS: ReadonlyMap<string, PublicText> = new Map(
  Object.entries<PublicText>({
    LOG_UNAVAILABLE: { message: "The log cannot be used right now", hint: LATER },
    LOG_UNUSABLE: { message: "The log cannot be used until the operator has looked at it", hint: LATER },
    LOG_FULL: { message: "The log has no room right now", hint: LATER },
    AUTH_UNAVAILABLE: { message: "Nomad cannot be asked what this token may see", hint: LATER },
    NOMAD_UNREACHABLE: { message: "Nomad cannot be reached" },
    NOMAD_TLS: { message: "Nomad cannot be reached: its certificate or ours is not accepted" },
    NOMAD_TIMEOUT: { message: "Nomad does not answer in time" },
    NOMAD_NO_LEADER: { message: "Nomad has no leader" },
    NOMAD_NO_REGION: { message: "Nomad has no way to the feed's region" },
    NOMAD_RATE_LIMITED: { message: "Nomad limits the feed's requests" },
    NOMAD_TOO_MANY_CONNECTIONS: { message: "Nomad limits the feed's connections" },
    NOMAD_FORBIDDEN: { message: "Nomad refuses this to the feed's token" },
    NOMAD_UNAUTHORIZED: { message: "Nomad does not know the feed's token" },
    NOMAD_TOKEN_EXPIRED: { message: "The feed's token for Nomad has expired" },
    NOMAD_STALE_RESPONSE: { message: "Nomad answers from a server that is behind" },
    NOMAD_IMPLAUSIBLE: { message: "Nomad's answer is implausible: it lacks what was there before" },
    NOMAD_BAD_RESPONSE: { message: "Nomad's answer cannot be read" },
    MALFORMED_LIST: { message: "Nomad's answer cannot be read" },
  }),
);
const NOMAD: PublicText = { message: "Nomad does not answer as it should" };
const OURS: PublicText = { message: "The server failed", hint: LATER };

/** The one cut between what the operator reads in the log and what goes to subscribers, whoever asks. */
export function publicText(error: unknown): PublicText {
  if (!(error instanceof ChangefeedError)) return OURS;
  const known = WORDS.get(error.code);
  if (known !== undefined) return known;
  return error.code.startsWith("NOMAD_") ? NOMAD : OURS;
}

/** Why something is as it is, for events and reports, with the code by which docs/errors.md tells more. */
export function publicReason(error: unknown): string {
  const { message } = publicText(error);
  return error instanceof ChangefeedError ? `${message} (${error.code})` : message;
}
