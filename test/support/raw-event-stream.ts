import { request } from "node:http";
import { createInterface } from "node:readline";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { until } from "./until.ts";

/** What a client of Nomad's event stream got, word for word. */
export class RawEventStream implements Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Lines as they came, heartbeats too. */
  readonly lines: string[] = [];
  hasEnded = false;
  readonly #answer: IncomingMessage;

  private constructor(answer: IncomingMessage) {
    this.status = answer.statusCode ?? 0;
    this.headers = answer.headers;
    this.#answer = answer;
    const lines = createInterface({ input: answer });
    lines.on("line", (line) => this.lines.push(line));
    lines.on("close", () => (this.hasEnded = true));
    // What its input fails with the lines fail with too.
    for (const source of [answer, lines]) source.on("error", () => (this.hasEnded = true));
  }

  /** `query`: such as "namespace=*&topic=Job". Resolves with the head of the answer. */
  static open(address: string, query: string, headers: Record<string, string> = {}): Promise<RawEventStream> {
    const { promise, resolve, reject } = Promise.withResolvers<RawEventStream>();
    const asked = request(`${address}/v1/event/stream?${query}`, { headers, agent: false }, (answer) =>
      resolve(new RawEventStream(answer)),
    );
    asked.on("error", reject);
    asked.end();
    return promise;
  }

  get frames(): string[] {
    return this.lines.filter((line) => line !== "{}");
  }

  /** Those of the frames, in order. */
  get indexes(): number[] {
    return this.frames.map((line) => (JSON.parse(line) as { Index: number }).Index);
  }

  /** Resolves when a frame of that index, or a later one, has come. */
  async reaches(index: number): Promise<this> {
    await until(`the stream has reached ${index}`, () => (this.indexes.at(-1) ?? 0) >= index);
    return this;
  }

  [Symbol.dispose](): void {
    this.#answer.destroy();
  }
}
