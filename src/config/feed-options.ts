import { OPTION_NAMES, OPTIONS, type OptionName } from "./options.ts";

/** What a process has once, however many feeds it serves. */
export const PROCESS_OPTIONS: readonly OptionName[] = [
  "listen",
  "insecureNoAuth",
  "auth",
  "authTokensFile",
  "openRoutes",
  "allowOrigin",
  "console",
  "tlsCert",
  "tlsKey",
  "tlsClientCa",
  "maxOpenConnections",
  "maxConnectionsPerAddress",
  "maxRequestsPerSecond",
  ...OPTION_NAMES.filter((name) => OPTIONS[name].group === "Telemetry"),
  "logLevel",
  "logFormat",
  "config",
];

export function isOfProcess(name: OptionName): boolean {
  return PROCESS_OPTIONS.includes(name);
}

/**
 * What tells one feed from another. With `feeds:` it stands in the file alone: a variable would send the token of one
 * cluster to all of them.
 */
export const OWN_OPTIONS: readonly OptionName[] = [
  ...OPTION_NAMES.filter((name) => OPTIONS[name].group === "Nomad"),
  "cluster",
  "feed",
  "recordFrames",
  "compatListen",
  "compatLog",
];

/** Names of feeds stand in addresses, in labels and in cursors. */
export const FEED_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const FEED_NAME_ALLOWED = "1 to 63 letters, digits, dots, dashes and underscores";
