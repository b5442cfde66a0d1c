import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, type Block } from "./pages.ts";

const CLIENT = join(ROOT, "packages/client/src/index.ts");

/** What stands around the blocks of a page: what its prose says, and what an earlier block imported. */
const AROUND = `
type Client = typeof import("nomad-changefeed-client");
declare const { consume, subscribe, watchState }: Client;
declare const api: ReturnType<Client["feedApi"]>;
declare const url: string;
declare const cursor: string;
declare const signal: AbortSignal;
/** What a reader does with an event. */
declare function page(event: { readonly id: string }): Promise<void>;
`;

/** What the type checker says of blocks of TypeScript, one sentence each, by page and line. */
export function problemsOfTypes(blocks: readonly Block[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "ncf-pages-"));
  try {
    const names = blocks.map(({ text }, at) => {
      writeFileSync(join(folder, `${at}.ts`), `${text}\nexport {};\n`);
      return `${at}.ts`;
    });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "around.d.ts"), AROUND);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings(["around.d.ts", ...names])));
    const { stdout } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder, "--pretty", "false"], {
      encoding: "utf8",
      cwd: folder,
    });
    return stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) =>
        line.replace(/^(\d+)\.ts\((\d+),\d+\)/, (_, at: string, row: string) => {
          const block = blocks[Number(at)];
          return `${block?.page}:${(block?.line ?? 0) + Number(row) - 1}`;
        }),
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function settings(files: readonly string[]): object {
  return {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      typeRoots: [join(ROOT, "node_modules/@types")],
      paths: { "nomad-changefeed-client": [CLIENT] },
      noUnusedLocals: false,
    },
    files,
    include: [],
  };
}
