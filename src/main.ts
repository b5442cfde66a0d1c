#!/usr/bin/env node
import { processIo } from "./commands/io.ts";
import { main } from "./commands/program.ts";

process.exitCode = await main(process.argv.slice(2), processIo());
