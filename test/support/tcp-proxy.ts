import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes connections on to a port of this machine, and loses what a test wants lost. */
export class TcpProxy {
  readonly port: number;
  /** Replies that were lost so far. */
  lost = 0;
  /** Bytes that the server has sent through it so far. */
  received = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #losing = 0;
  #swallowing = false;
  #isCut = false;
  #targetPort: number;
  #trigger: { readonly at: string; readonly act: () => void; passing: number } | undefined;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.port = port;
    this.#targetPort = targetPort;
  }

  static async to(targetPort: number): Promise<TcpProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const proxy = new TcpProxy(server, address.port, targetPort);
    server.on("connection", (client) => proxy.#pass(client));
    return proxy;
  }

  /** What the server says next never arrives: the connection is cut after the server has done its work. */
  loseNextReply(): void {
    this.#losing += 1;
  }

  /**
   * Connections stay open, new ones are taken, and not a byte passes, either way; until `false` lets all pass again.
   */
  swallow(everything = true): void {
    this.#swallowing = everything;
  }

  /** No connection lives, nor comes to be, until it is mended. */
  cut(): void {
    this.#isCut = true;
    this.cutAll();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** The next request that holds this text is not passed on: its connection is cut, and later ones go elsewhere. */
  switchAt(text: string, targetPort: number): void {
    this.at(text, () => (this.#targetPort = targetPort));
  }

  /**
   * After so many that are passed on, a request that holds this text is not: its connection is cut, and `act` called.
   */
  at(text: string, act: () => void, passing = 0): void {
    this.#trigger = { at: text, act, passing };
  }

  /** Cuts every connection, whatever is under way on it; new ones are passed on. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #pass(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const server = connect(this.#targetPort, "127.0.0.1");
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
    client.on("data", (bytes) => {
      if (this.#swallowing) return;
      const trigger = this.#trigger;
      if (trigger === undefined || !bytes.includes(trigger.at) || trigger.passing-- > 0) {
        server.write(bytes);
        return;
      }
      this.#trigger = undefined;
      trigger.act();
      client.destroy();
    });
    client.on("end", () => server.end());
    server.on("data", (bytes) => {
      if (this.#swallowing) return;
      if (this.#losing === 0) {
        this.received += bytes.length;
        client.write(bytes);
        return;
      }
      this.#losing -= 1;
      this.lost += 1;
      client.destroy();
    });
  }
}
