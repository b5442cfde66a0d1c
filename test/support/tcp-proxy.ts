import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes connections on to a port of this machine, and loses what a test wants lost. */
export class TcpProxy {
  readonly port: number;
  /** Replies that were lost so far. */
  lost = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #losing = 0;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(targetPort: number): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const proxy = new TcpProxy(server, address.port);
    server.on("connection", (client) => proxy.#pass(client, targetPort));
    return proxy;
  }

  /** What the server says next never arrives: the connection is cut after the server has done its work. */
  loseNextReply(): void {
    this.#losing += 1;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #pass(client: Socket, targetPort: number): void {
    const server = connect(targetPort, "127.0.0.1");
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(server);
    server.on("data", (bytes) => {
      if (this.#losing === 0) {
        client.write(bytes);
        return;
      }
      this.#losing -= 1;
      this.lost += 1;
      client.destroy();
    });
  }
}
