import type { IncomingMessage } from "node:http";
import { isLoopback } from "../shared/loopback.ts";
import type { Principals } from "./access/principals.ts";
import { Forbidden } from "./errors.ts";

type Actors = Pick<Principals, "actorOf" | "authRequired">;

/** Without authentication, whoever is on this machine. @throws Unauthorized, AuthUnavailable */
export async function mayManage(principals: Actors, request: IncomingMessage): Promise<boolean> {
  const { manages } = await principals.actorOf(request);
  return manages && (principals.authRequired || isFromHere(request));
}

/** @throws Forbidden, and as mayManage */
export async function assertManages(principals: Actors, request: IncomingMessage): Promise<void> {
  if (await mayManage(principals, request)) return;
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
