import type { TestProject } from "vitest/node";
import { buildConsole } from "../../../scripts/build-console.ts";
import { CHROMIUM } from "../chromium.ts";
import { startChromium } from "./chromium-server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Where the console was built to. */
    consoleFolder: string;
    /** Where the one browser of all tests is reached; "" where there is none. */
    browserEndpoint: string;
  }
}

/** Builds the console as it is, and starts one browser, for all tests of a run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (CHROMIUM === undefined) {
    project.provide("consoleFolder", "");
    project.provide("browserEndpoint", "");
    return async () => undefined;
  }
  const [browser, folder] = await Promise.all([startChromium(CHROMIUM), buildConsole()]);
  project.provide("consoleFolder", folder);
  project.provide("browserEndpoint", browser.endpoint);
  return () => browser.close();
}
