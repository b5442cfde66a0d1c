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

/** What an error says, with the options of Nomad's client, and a token, by the names that the operator can give. */
export function saidByFlag(error: CodedError): { message: string; hint: string | undefined } {
  const { message, hint } = error;
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
