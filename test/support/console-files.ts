import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConsoleFiles, type ConsoleFiles } from "../../src/http/console/files.ts";

export const PAGE_TEXT = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>a console</title>
    <link rel="stylesheet" href="./assets/main-1b2c.css" />
    <script type="module" src="./assets/main-8f3a.js"></script>
  </head>
  <body></body>
</html>
`;

const FILES = {
  "index.html": PAGE_TEXT,
  "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
  "assets/main-8f3a.js": `globalThis.loaded = true;\n${"// long enough to be compressed\n".repeat(100)}`,
  "assets/main-1b2c.css": "body { color: rgb(1, 2, 3) }",
};

/** A folder as Vite builds it: a page, what it loads, and an icon. */
export async function consoleFiles(files: Readonly<Record<string, string>> = FILES): Promise<ConsoleFiles> {
  const folder = await mkdtemp(join(tmpdir(), "ncf-console-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    return readConsoleFiles(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
