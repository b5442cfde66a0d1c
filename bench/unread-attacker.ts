import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** For each line with a path: connects, asks for it, and reads nothing. Ends with its input. */
const { hostname, port } = new URL(process.argv[2] ?? "");

for await (const path of createInterface({ input: process.stdin })) {
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined).pause();
  await once(socket, "connect");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
  process.stdout.write("\n");
}
process.exit();
