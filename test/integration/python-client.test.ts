import { afterAll, beforeAll, describe, it } from "vitest";
import {
  changeTasks,
  conformanceCases,
  expectConformance,
  expectChange,
  type Client,
} from "../support/conformance.ts";
import { pythonLacks } from "../support/python.ts";
import { pythonClient } from "../support/python-conformance.ts";
import { skippedBecause } from "../support/skipped.ts";

const LACKS = pythonLacks("websockets.asyncio.client");

describe.skipIf(LACKS !== undefined)(`the Python client${skippedBecause(LACKS)}`, () => {
  let python: ReturnType<typeof pythonClient>;
  const client: Client = (task) => python.client(task);
  beforeAll(() => void (python = pythonClient()));
  afterAll(() => python[Symbol.asyncDispose]());

  describe.each(["streams", "http", "states", "reads"])("conformance of %s:", (file) => {
    it.each(conformanceCases(file))("$name", (given) => expectConformance(client, given));
  });

  describe("conformance of changes:", () => {
    it.each(changeTasks())("$name", (given) => expectChange(client, given));
  });
});
