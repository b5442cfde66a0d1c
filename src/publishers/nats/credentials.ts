import { readFile } from "node:fs/promises";
import type { Authenticator } from "@nats-io/transport-node";
import type { NatsSettings } from "../../schemas/destinations/nats.ts";
import type { DestinationDeps } from "../destination-deps.ts";
import type { NatsLibrary } from "./library.ts";

/** Who we are, in each way that is configured; the server's is taken. @throws what cannot be read */
export async function authenticators(
  { file, token, username, password, nkey }: NonNullable<NatsSettings["credentials"]>,
  { readSecret }: Pick<DestinationDeps, "readSecret">,
  nats: NatsLibrary,
): Promise<Authenticator[]> {
  const ways: Authenticator[] = [];
  if (file !== undefined) ways.push(nats.credsAuthenticator(await readFile(file)));
  if (token !== undefined) ways.push(nats.tokenAuthenticator(readSecret(token)));
  if (nkey !== undefined) ways.push(nats.nkeyAuthenticator(Buffer.from(readSecret(nkey))));
  if (username !== undefined && password !== undefined)
    ways.push(nats.usernamePasswordAuthenticator(readSecret(username), readSecret(password)));
  return ways;
}
