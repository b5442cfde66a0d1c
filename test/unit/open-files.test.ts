import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { connectionsThatFit } from "../../src/bridge/open-files.ts";

it("leaves files to the log, whatever the limit of open files is", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ncf-limits-"));
  const path = join(directory, "limits");
  const fitting = async (soft: string) => {
    await writeFile(
      path,
      `Limit                     Soft Limit           Hard Limit           Units     
Max processes             127000               127000               processes 
Max open files            ${soft.padEnd(20)} 1048576              files     
`,
    );
    return connectionsThatFit(path);
  };
  expect(await fitting("1024")).toBe(768);
  expect(await fitting("256")).toBe(64);
  expect(await fitting("unlimited")).toBeUndefined();
  expect(await connectionsThatFit(join(directory, "none"))).toBeUndefined();
  await rm(directory, { recursive: true });
});
