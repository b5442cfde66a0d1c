import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readRepositoryFile } from "../support/container-files.ts";
import {
  NOMAD_JOB,
  nomadProgram,
  programMissing,
  RULES,
  RULES_TEST,
  run,
  SYSTEMD_UNIT,
} from "../support/deploy-files.ts";
import { skippedBecause } from "../support/skipped.ts";

const noPromtool = programMissing("promtool", "Debian: apt-get install prometheus");
const noSystemd = programMissing("systemd-analyze", "Debian: apt-get install systemd");
const noNomad = programMissing(nomadProgram(), "install Nomad, or set NOMAD_BIN");

it.skipIf(noPromtool !== undefined)(
  `the rules for Prometheus are valid, and fire when they should and only then${skippedBecause(noPromtool)}`,
  () => {
    expect(run("promtool", ["check", "rules", RULES])).toMatchObject({ status: 0 });
    expect(run("promtool", ["test", "rules", RULES_TEST])).toMatchObject({ status: 0 });
  },
);

it.skipIf(noSystemd !== undefined)(
  `the unit is what systemd understands, and leaves little open${skippedBecause(noSystemd)}`,
  async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-unit-"));
    const path = join(directory.path, "nomad-changefeed.service");
    // Node and the package are elsewhere here.
    await writeFile(
      path,
      readRepositoryFile(SYSTEMD_UNIT).replace("=/usr/bin/node ", `=${process.execPath} `),
    );
    const { status, said } = run("systemd-analyze", ["verify", path]);
    // A machine has units of its own, about which systemd has its own to say.
    const about = said.split("\n").filter((line) => line.includes("nomad-changefeed"));
    expect({ status, about }).toEqual({ status: 0, about: [] });
    // 0 to 100, where 100 is a service without any restriction.
    const security = run("systemd-analyze", ["security", "--offline=true", "--threshold=20", path]);
    expect(security).toMatchObject({ status: 0 });
  },
);

it.skipIf(noNomad !== undefined)(
  `the job is what Nomad understands, and warns of nothing${skippedBecause(noNomad)}`,
  () => {
    // Nobody answers at this address: then Nomad's program checks the job by itself.
    const args = [
      "job",
      "validate",
      "-address",
      "http://127.0.0.1:1",
      "-var",
      "image=changefeed:1",
      NOMAD_JOB,
    ];
    const { status, said } = run(nomadProgram(), args);
    expect({ status, said }).toMatchObject({ status: 0 });
    expect(said).not.toContain("Warning");
  },
);
