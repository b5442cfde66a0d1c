#!/usr/bin/env node
import { whyTooOld } from "./node-version.ts";

// Before anything is loaded that an older Node cannot load.
const problem = whyTooOld(process.versions.node);
if (problem === undefined) {
  const [{ processIo }, { main }] = await Promise.all([
    import("./commands/io.ts"),
    import("./commands/program.ts"),
  ]);
  process.exitCode = await main(process.argv.slice(2), processIo());
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
