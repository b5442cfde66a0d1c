#!/usr/bin/env node
import { whyTooOld } from "./node-version.ts";

// Told to read its file again before it has read it, `run` goes on: what comes while all is loaded waits.
const hangUps = { mayReload: process.argv[2] === "run", cameEarly: false };
if (hangUps.mayReload) process.on("SIGHUP", () => (hangUps.cameEarly = true));

// Before anything is loaded that an older Node cannot load.
const problem = whyTooOld(process.versions.node);
if (problem === undefined) {
  const [{ processIo }, { main }] = await Promise.all([
    import("./commands/io.ts"),
    import("./commands/program.ts"),
  ]);
  process.exitCode = await main(process.argv.slice(2), processIo(hangUps));
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
