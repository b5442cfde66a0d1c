import { resolveNomadOptions, type NomadClientOptions, type RawNomadOptions } from "./options.ts";

/**
 * The variables Nomad's own client reads, and NOMAD_TOKEN_FILE. NOMAD_ADDR may hold several addresses,
 * comma between. An empty variable counts as unset.
 */
export function rawNomadOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): RawNomadOptions {
  return {
    addresses: [env["NOMAD_ADDR"] ?? ""],
    region: env["NOMAD_REGION"] ?? "",
    namespace: env["NOMAD_NAMESPACE"] ?? "",
    token: env["NOMAD_TOKEN"] ?? "",
    tokenFile: env["NOMAD_TOKEN_FILE"] ?? "",
    httpAuth: env["NOMAD_HTTP_AUTH"] ?? "",
    caCert: env["NOMAD_CACERT"] ?? "",
    caPath: env["NOMAD_CAPATH"] ?? "",
    clientCert: env["NOMAD_CLIENT_CERT"] ?? "",
    clientKey: env["NOMAD_CLIENT_KEY"] ?? "",
    tlsServerName: env["NOMAD_TLS_SERVER_NAME"] ?? "",
    skipVerify: env["NOMAD_SKIP_VERIFY"] ?? "",
  };
}

/** @throws NomadOptionInvalid. */
export function nomadOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): NomadClientOptions {
  return resolveNomadOptions(rawNomadOptionsFromEnv(env));
}
