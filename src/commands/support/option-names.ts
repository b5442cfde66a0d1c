import { optionEnv, optionFlag, type OptionName } from "../../config/options.ts";
import { NomadOptionInvalid } from "../../nomad/errors.ts";
import type { RawNomadOptions } from "../../nomad/options.ts";
import type { CodedError } from "../../../packages/client/src/coded-error.ts";

/** What the operator calls the options of Nomad's client. */
const NAMES: Readonly<Partial<Record<keyof RawNomadOptions, OptionName>>> = {
  addresses: "nomadAddr",
  region: "nomadRegion",
  token: "nomadToken",
  tokenFile: "nomadTokenFile",
  httpAuth: "nomadHttpAuth",
  caCert: "nomadCaCert",
  caPath: "nomadCaPath",
  clientCert: "nomadClientCert",
  clientKey: "nomadClientKey",
  tlsServerName: "nomadTlsServerName",
  maxConnections: "maxConnections",
};

/** How a feed says to send a token. A command sends the one of a file. */
const BY_HEADER = "Authorization: Bearer";

/** What a feed says to ask it for, and the command that prints it. */
const COMMANDS = new Map([
  ["GET /v1/deliveries", "`nomad-changefeed deliveries`"],
  ["GET /v1/silences", "`nomad-changefeed silence`"],
]);

/** What an error says, with what the operator can give: options of Nomad's client, a token, and commands. */
export function saidByFlag(error: CodedError): { message: string; hint: string | undefined } {
  const { message } = error;
  const hint = error.hint?.replace(/^GET \/v1\/\w+/, (route) => COMMANDS.get(route) ?? route);
  if (hint?.includes(BY_HEADER) === true)
    return { message, hint: "Name a file that holds one with --token-file" };
  const name = error instanceof NomadOptionInvalid ? NAMES[error.option as keyof RawNomadOptions] : undefined;
  if (name === undefined || !(error instanceof NomadOptionInvalid)) return { message, hint };
  const flag = optionFlag(name);
  const named = message.startsWith(`${error.option} `)
    ? message.replace(error.option, () => flag)
    : `${flag}: ${message}`;
  return { message: named, hint: `Correct ${flag} (in the environment ${optionEnv(name)})` };
}
