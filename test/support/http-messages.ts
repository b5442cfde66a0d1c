import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

/** A socket that is connected to nobody and says it is from `remoteAddress`. */
export function socketFrom(remoteAddress: string): Socket {
  return Object.defineProperty(new Socket(), "remoteAddress", { value: remoteAddress });
}

/** A request as Node reads it off a socket; header names in lower case. */
export function requestOf(url: string, headers: Readonly<Record<string, string>> = {}): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { url, headers });
}

/** An answer that nothing is sent of. */
export function responseOf(url = "/"): ServerResponse {
  return new ServerResponse(requestOf(url));
}
