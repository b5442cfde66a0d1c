import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { killed, own } from "./own-processes.ts";
import { until } from "./until.ts";

/** The browser of the PATH, or undefined. */
export const CHROMIUM = ["chromium", "chromium-browser", "google-chrome"].find(
  (name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
);

/** Why there is none, with what to install; undefined where there is one. */
export const NO_CHROMIUM =
  CHROMIUM === undefined ? "no chromium in the PATH: apt-get install chromium" : undefined;

/** A page in a headless browser, driven over its debugging protocol. */
export class BrowserPage implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #close: () => Promise<void>;
  #calls = 0;

  private constructor(socket: WebSocket, close: () => Promise<void>) {
    this.#socket = socket;
    this.#close = close;
  }

  /** Opens `url`, and resolves once it is loaded. */
  static async open(browser: string, url: string): Promise<BrowserPage> {
    const profile = await mkdtemp(join(tmpdir(), "ncf-chromium-"));
    const child = own(
      spawn(
        browser,
        [
          "--headless=new",
          "--no-sandbox",
          "--disable-gpu",
          "--disable-dev-shm-usage",
          "--no-first-run",
          "--remote-debugging-port=0",
          `--user-data-dir=${profile}`,
          url,
        ],
        { stdio: ["ignore", "ignore", "pipe"] },
      ),
      "browser",
    );
    const close = async () => {
      await killed(child);
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    };
    try {
      const port = await debuggingPort(child.stderr);
      const socket = new WebSocket(await pageTarget(port, url));
      await once(socket, "open");
      const page = new BrowserPage(socket, close);
      const isLoaded = `document.readyState === "complete" && location.href === ${JSON.stringify(url)}`;
      // What is asked while the page comes in place of the empty one is not answered.
      await until("the page is loaded", () => page.run<boolean>(isLoaded).catch(() => false));
      return page;
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** What the expression, or the promise it makes, comes to in the page. */
  async run<T>(expression: string): Promise<T> {
    this.#calls += 1;
    const id = this.#calls;
    const answered = new Promise<Answer>((resolve) => {
      const listen = (data: Buffer) => {
        const answer = JSON.parse(data.toString()) as Answer;
        if (answer.id !== id) return;
        this.#socket.off("message", listen);
        resolve(answer);
      };
      this.#socket.on("message", listen);
    });
    const params = { expression, awaitPromise: true, returnByValue: true };
    this.#socket.send(JSON.stringify({ id, method: "Runtime.evaluate", params }));
    const { result, error } = await answered;
    if (error !== undefined || result?.exceptionDetails !== undefined) {
      throw new Error(`The page failed: ${JSON.stringify(error ?? result)}`);
    }
    return result?.result.value as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.#close();
  }
}

interface Answer {
  readonly id: number;
  readonly result?: { readonly result: { readonly value?: unknown }; readonly exceptionDetails?: unknown };
  readonly error?: unknown;
}

async function debuggingPort(stderr: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const port = /^DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(line)?.[1];
    if (port === undefined) continue;
    stderr.resume();
    return port;
  }
  throw new Error("The browser ended before it could be talked to");
}

async function pageTarget(port: string, url: string): Promise<string> {
  return until("the browser has the page", async () => {
    const response = await fetch(`http://127.0.0.1:${port}/json`);
    const targets = (await response.json()) as { url: string; webSocketDebuggerUrl: string }[];
    return targets.find((target) => target.url === url)?.webSocketDebuggerUrl;
  });
}
