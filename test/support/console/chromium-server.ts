import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";
import { own } from "../own-processes.ts";

export interface ChromiumServer {
  /** What `chromium.connect` takes. */
  readonly endpoint: string;
  close(): Promise<void>;
}

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-dev-shm-usage",
  // No name but this machine's leads anywhere.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/** One headless browser that several processes can have pages in. */
export async function startChromium(name: string): Promise<ChromiumServer> {
  const executablePath = execFileSync("which", [name], { encoding: "utf8" }).trim();
  const server = await chromium.launchServer({ executablePath, args: ARGUMENTS, host: "127.0.0.1" });
  own(server.process(), "browser");
  return { endpoint: server.wsEndpoint(), close: () => server.close() };
}
