import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const ROOT = new URL("../../", import.meta.url);

export function readRepositoryFile(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

const serviceSchema = z.object({
  build: z.string().optional(),
  image: z.string().optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
export type ComposeService = z.infer<typeof serviceSchema>;

/** The services of docker-compose.yml by name: what the tests look at, and whole. */
export function composeServices(): Map<string, { service: ComposeService; whole: unknown }> {
  const text = readRepositoryFile("docker-compose.yml");
  const file = z.object({ services: z.record(z.string(), z.unknown()) }).parse(parse(text, { merge: true }));
  return new Map(
    Object.entries(file.services).map(([name, whole]) => [
      name,
      { service: serviceSchema.parse(whole), whole },
    ]),
  );
}

export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The Dockerfile's instructions in order, continued lines joined. */
export function dockerfile(): Instruction[] {
  return readRepositoryFile("Dockerfile")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", text = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { name, text };
    });
}

/** Program and arguments of the instruction's exec form: Docker runs them without a shell between. */
export function execForm(name: "HEALTHCHECK" | "ENTRYPOINT" | "CMD"): string[] {
  const text = dockerfile().findLast((instruction) => instruction.name === name)?.text ?? "";
  return z.array(z.string()).parse(JSON.parse(text.slice(text.indexOf("["))));
}
