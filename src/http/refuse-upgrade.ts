import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ProblemAnswer } from "./problem.ts";

/** Answers an upgrade as a request would be, and closes. */
export function refuseUpgrade(socket: Duplex, { status, headers, body }: ProblemAnswer): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.once("finish", () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...lines,
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
