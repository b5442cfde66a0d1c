import { connect } from "node:net";

/**
 * The attacking side of the rows about pings, in a process of its own, until it is killed: sockets that write what is
 * to be answered or stored as fast as they can, and come again when they are cut off.
 */
export type FlooderArguments = readonly [port: string, epoch: string, lastSequence: string, sockets: string];

const [port = 0, , head = 0, clients = 0] = process.argv.slice(2).map(Number);
const epoch = process.argv[3] ?? "";
const FRAMES = 2000;
const OP_TEXT = 0x81;
const OP_PING = 0x89;

/** A client's frame; masked, as it must be, with a mask that changes nothing. */
function frame(opcode: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([opcode, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

function frames(make: (n: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: FRAMES }, (_, n) => make(n)));
}

const FLOODS = [
  frames((n) => frame(OP_TEXT, `{"ping":${n}}`)),
  frames((n) => frame(OP_TEXT, `{"ack":"${epoch}-${1 + (n % head)}"}`)),
  frames(() => frame(OP_PING, "")),
];

function flood(client: number): void {
  const bytes = FLOODS[client % FLOODS.length] ?? Buffer.alloc(0);
  const socket = connect({ host: "127.0.0.1", port });
  const write = () => {
    while (socket.writable && socket.write(bytes));
  };
  socket.once("data", write);
  socket.on("data", () => undefined);
  socket.on("drain", write);
  socket.on("error", () => undefined);
  socket.on("close", () => setTimeout(flood, 50, client));
  socket.write(
    `GET /v1/events?consumer=flooder-${client} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n` +
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
}

for (let client = 0; client < clients; client += 1) flood(client);
process.once("disconnect", () => process.exit());
