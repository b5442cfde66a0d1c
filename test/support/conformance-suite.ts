import { afterAll, beforeAll, describe, it } from "vitest";
import { conformanceProgram } from "./conformance-program.ts";
import {
  changeTasks,
  conformanceCases,
  expectChange,
  expectConformance,
  type Client,
} from "./conformance.ts";

/** All cases of test/conformance, for a client in another language: the program that does one task a line. */
export function describeConformance(command: string, ...args: readonly string[]): void {
  let program: ReturnType<typeof conformanceProgram>;
  const client: Client = (task) => program.client(task);
  beforeAll(() => void (program = conformanceProgram(command, ...args)));
  afterAll(() => program[Symbol.asyncDispose]());

  describe.each(["streams", "http", "states", "reads"])("conformance of %s:", (file) => {
    it.each(conformanceCases(file))("$name", (given) => expectConformance(client, given));
  });
  describe("conformance of changes:", () => {
    it.each(changeTasks())("$name", (given) => expectChange(client, given));
  });
}
