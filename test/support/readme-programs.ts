import type { ChildProcess } from "node:child_process";
import { expect } from "vitest";
import { killed } from "./own-processes.ts";
import { until } from "./until.ts";
import type { WatchedCluster } from "./watched-cluster.ts";

/** Runs a program of a page beside a cluster that lives, until it has said something and complained of nothing. */
export async function expectProgramSays(
  program: string,
  {
    cluster,
    start,
    says,
  }: { cluster: WatchedCluster; start: (program: string) => ChildProcess; says: string },
): Promise<void> {
  const child = start(program.replaceAll("http://127.0.0.1:4650", cluster.bridge.url));
  let said = "";
  let complaint = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  await until("it says something", () => {
    cluster.simulator.churn(5);
    return said !== "" || complaint !== "";
  });
  await killed(child);
  expect(complaint).toBe("");
  expect(said).toContain(says);
}
