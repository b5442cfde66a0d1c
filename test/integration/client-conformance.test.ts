import { describe, it } from "vitest";
import * as browser from "../../packages/client/src/browser.ts";
import * as node from "../../packages/client/src/index.ts";
import {
  changeTasks,
  conformanceCases,
  expectConformance,
  expectChange,
  type Client,
} from "../support/conformance.ts";
import { doTask } from "../support/typescript-client.ts";

const inNode: Client = (task) => doTask(node, task);
const inBrowsers: Client = (task) => doTask(browser, task);

describe.each([
  ["streams", "Node's socket", inNode],
  ["streams", "a browser's socket", inBrowsers],
  ["states", "Node's socket", inNode],
  ["states", "a browser's socket", inBrowsers],
  ["http", "Node's socket", inNode],
  ["reads", "fetch", inNode],
])("the TypeScript client, conformance of %s over %s", (file, _kind, client) => {
  it.each(conformanceCases(file))("$name", (given) => expectConformance(client, given));
});

describe("the TypeScript client, conformance of changes", () => {
  it.each(changeTasks())("$name", (given) => expectChange(inNode, given));
});
