import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { createSimulator } from "../packages/nomad-simulator/src/index.ts";
import { nowMs } from "./fan-out-sides.ts";

/** The simulated Nomad of the hinted rows, with so many allocations as the first argument says: see NomadProcess. */
export type ToNomad = { readonly ask: "change" | "sent" | "close" };

export type FromNomad =
  | { readonly answer: "ready"; readonly address: string }
  | { readonly answer: "changed"; readonly change: Change }
  | { readonly answer: "sent"; readonly bytes: number };

export interface Change {
  /** Of the allocation. */
  readonly id: string;
  readonly index: number;
  /** When it was written, ms since 1970. */
  readonly atMs: number;
}

const sockets = new Set<Socket>();
let closedBytes = 0;
subscribe("net.server.socket", (message) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.once("close", () => {
    sockets.delete(socket);
    closedBytes += socket.bytesWritten;
  });
});

const simulator = createSimulator({ seed: 1, allocations: Number(process.argv[2]) });
const ids = [...simulator.cluster.state.tables.allocations.values()]
  .filter(({ stub }) => stub.ClientStatus === "running")
  .map(({ key }) => key);
let changes = 0;

function tell(message: FromNomad): void {
  process.send?.(message);
}

/** What was left behind before is not collected while anybody waits. */
function change(): Change {
  globalThis.gc?.({ type: "minor" });
  const id = ids[(changes++ * 7) % ids.length] ?? "";
  const atMs = nowMs();
  simulator.cluster.restartTask(id);
  return { id, index: simulator.index, atMs };
}

function sentBytes(): number {
  return [...sockets].reduce((bytes, socket) => bytes + socket.bytesWritten, closedBytes);
}

process.on("message", ({ ask }: ToNomad) => {
  if (ask === "change") tell({ answer: "changed", change: change() });
  else if (ask === "sent") tell({ answer: "sent", bytes: sentBytes() });
  else void simulator.close().then(() => process.exit());
});
tell({ answer: "ready", address: await simulator.listen() });
