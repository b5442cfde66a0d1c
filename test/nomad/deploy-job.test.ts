import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { NOMAD_JOB, nomadProgram, programMissing, runWith } from "../support/deploy-files.ts";
import { findGuardedNomadAgent } from "../support/nomad-agent.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { skippedBecause } from "../support/skipped.ts";
import { until } from "../support/until.ts";

const { redisUrl, missing: noRedis } = await sharedRedis();
const noProgram = programMissing(nomadProgram(), "install Nomad, or set NOMAD_BIN");
const found = noProgram ?? (await findGuardedNomadAgent(process.env));
const why = typeof found === "string" ? skippedBecause(found) : noRedis;

interface Job {
  TaskGroups: [{ Tasks: [{ Driver: string; Config: object; Env: Record<string, string> }] }];
}
const allocationsSchema = z.array(z.object({ ID: z.string(), ClientStatus: z.string() }));
const portsSchema = z.object({
  AllocatedResources: z.object({ Shared: z.object({ Ports: z.tuple([z.object({ Value: z.number() })]) }) }),
});

describe.skipIf(why !== "")(`the job of deploy/ on a real Nomad with ACLs${why}`, () => {
  if (typeof found === "string") return;
  const agent = found;
  const nomad = (...args: string[]) =>
    runWith({ NOMAD_ADDR: agent.address, NOMAD_TOKEN: agent.token }, nomadProgram(), args);
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(agent.address + path, { headers: { "x-nomad-token": agent.token } });
    return answer.json();
  };
  afterAll(async () => {
    nomad("job", "stop", "-purge", "-detach", "nomad-changefeed");
    await until("its tasks have ended", async () =>
      allocationsSchema
        .parse(await ask("/v1/allocations"))
        .every(({ ClientStatus }) => ClientStatus === "complete" || ClientStatus === "failed"),
    );
    await agent.stop();
  });

  it("reads Nomad with the token of its identity, becomes healthy, and asks subscribers for theirs", async () => {
    const [policy = [], variable = [], run = []] = commandsOf(await readFile(NOMAD_JOB, "utf8"));
    expect(nomad(...policy)).toMatchObject({ status: 0 });
    await until("the variable is written: a young agent has no key yet", () => {
      const put = variable.map((word) => (word.startsWith("feed=") ? `feed=${redisUrl}` : word));
      return nomad("var", "put", "-force", ...put.slice(2)).status === 0;
    });
    // No image and no Docker here: the same task as a process of this checkout.
    const { status, said } = nomad("job", "run", "-output", "-var", "count=1", ...run.slice(2));
    expect({ status, said }).toMatchObject({ status: 0 });
    const { Job } = JSON.parse(said) as { Job: Job };
    const [task] = Job.TaskGroups[0].Tasks;
    task.Driver = "raw_exec";
    task.Config = {
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "../../src/main.ts"), "run"],
    };
    task.Env["NCF_LISTEN"] = "127.0.0.1:${NOMAD_HOST_PORT_http}";
    const registered = await fetch(`${agent.address}/v1/jobs`, {
      method: "POST",
      headers: { "x-nomad-token": agent.token },
      body: JSON.stringify({ Job }),
    });
    expect(registered.status).toBe(200);

    await until("Nomad calls the deployment successful", async () => {
      const deployments = z
        .array(z.object({ Status: z.string() }))
        .parse(await ask("/v1/job/nomad-changefeed/deployments"));
      expect(deployments.map(({ Status }) => Status)).not.toContain("failed");
      return deployments[0]?.Status === "successful";
    });
    const [allocation] = allocationsSchema.parse(await ask("/v1/job/nomad-changefeed/allocations"));
    const { AllocatedResources } = portsSchema.parse(await ask(`/v1/allocation/${allocation?.ID}`));
    const url = `http://127.0.0.1:${AllocatedResources.Shared.Ports[0].Value}`;
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('nomad_changefeed_scope_objects{resource="jobs",namespace="default"} 1\n');
    expect((await fetch(`${url}/v1/state`)).status).toBe(401);
    const state = await fetch(`${url}/v1/state?types=jobs`, {
      headers: { authorization: `Bearer ${agent.token}` },
    });
    expect(await state.text()).toContain("nomad-changefeed");
  });
});

/** The commands of the file's head as words, without `nomad`. */
function commandsOf(text: string): string[][] {
  return [...text.matchAll(/^# {3}nomad (.+)$/gm)].map(([, words = ""]) =>
    words.split(" ").map((word) => word.replaceAll("'", "")),
  );
}
