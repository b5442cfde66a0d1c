import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What becomes of a write: "lost" is never done, and of one that is "unanswered" nobody hears. */
type Fate = "done" | "lost" | "unanswered";

/** Stands before a server for S3, and decides of each write what becomes of it. What is not signed it may take away. */
export class S3Proxy implements AsyncDisposable {
  /** `write`: how many there were before. */
  fate: (write: number) => Fate = () => "done";
  /** Headers that do not pass. */
  withheld: readonly string[] = [];
  readonly #server = createServer((incoming, answer) => void this.#pass(incoming, answer));
  readonly #target: string;
  #writes = 0;

  private constructor(target: string) {
    this.#target = target;
  }

  static async before(target: string): Promise<S3Proxy> {
    const proxy = new S3Proxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many came since the last call. */
  takeWrites(): number {
    const writes = this.#writes;
    this.#writes = 0;
    return writes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const isWrite = incoming.method === "PUT" || incoming.method === "DELETE";
    const fate = isWrite ? this.fate(this.#writes++) : "done";
    const body = Buffer.concat(await incoming.toArray());
    if (fate === "lost") return void answer.destroy();
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !this.withheld.includes(name)),
    );
    const onward = request(new URL(incoming.url ?? "", this.#target), { method: incoming.method, headers });
    onward.on("error", () => answer.destroy());
    onward.end(body);
    const [reply] = (await once(onward, "response")) as [IncomingMessage];
    const bytes = Buffer.concat(await reply.toArray());
    if (fate === "unanswered") return void answer.destroy();
    answer.writeHead(reply.statusCode ?? 502, reply.headers).end(bytes);
  }
}
