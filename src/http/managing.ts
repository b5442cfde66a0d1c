import type { IncomingMessage } from "node:http";
import { isLoopback } from "../shared/loopback.ts";
import type { Principals } from "./access/principals.ts";
import { Forbidden } from "./errors.ts";

/** Without authentication, whoever is on this machine. @throws Forbidden, Unauthorized, AuthUnavailable */
export async function assertManages(
  principals: Pick<Principals, "actorOf" | "authRequired">,
  request: IncomingMessage,
): Promise<void> {
  const { manages } = await principals.actorOf(request);
  if (manages && (principals.authRequired || isFromHere(request))) return;
  throw new Forbidden("This is the business of who manages the whole feed", {
    hint: principals.authRequired
      ? "Use a management token of Nomad, or a static token with management: true"
      : "Ask from the server's own machine, or have the server ask for tokens with --auth",
  });
}

/** What a proxy on this machine passes on comes from anywhere. */
function isFromHere({ socket, headers }: IncomingMessage): boolean {
  if ("x-forwarded-for" in headers || "forwarded" in headers) return false;
  return isLoopback(socket.remoteAddress?.replace(/^::ffff:/i, "") ?? "");
}
