/** The few writes to Nomad that tests make. All reject with Nomad's own words. */
export class NomadWriter {
  readonly #address: string;

  constructor(address: string) {
    this.#address = address;
  }

  async registerJob(job: JobSpec): Promise<void> {
    await this.#send("PUT", "/v1/jobs", { Job: jobOf(job) });
  }

  async scale(job: string, namespace: string, count: number): Promise<void> {
    const target = { Count: count, Target: { Group: "g" }, Message: "test" };
    await this.#send("POST", `/v1/job/${encodeURIComponent(job)}/scale?namespace=${namespace}`, target);
  }

  async stopJob(job: string, namespace: string, options: { purge: boolean }): Promise<void> {
    const query = `namespace=${namespace}&purge=${options.purge}`;
    await this.#send("DELETE", `/v1/job/${encodeURIComponent(job)}?${query}`);
  }

  async restartAllocation(id: string, namespace: string): Promise<void> {
    await this.#send("POST", `/v1/client/allocation/${id}/restart?namespace=${namespace}`, {});
  }

  async stopAllocation(id: string, namespace: string): Promise<void> {
    await this.#send("POST", `/v1/allocation/${id}/stop?namespace=${namespace}`, {});
  }

  async runningAllocations(namespace: string): Promise<string[]> {
    const list = await this.#send("GET", `/v1/allocations?namespace=${namespace}`);
    return (JSON.parse(list) as { ID: string; ClientStatus: string }[])
      .filter((allocation) => allocation.ClientStatus === "running")
      .map((allocation) => allocation.ID)
      .toSorted();
  }

  /** Tags the job's newest version: Nomad writes the job, but does not move the index of the jobs. */
  async tagVersion(job: string, namespace: string, tag: string): Promise<void> {
    const path = `/v1/job/${encodeURIComponent(job)}/versions/${tag}/tag?namespace=${namespace}`;
    await this.#send("POST", path, { Description: "of a test" });
  }

  async reconcileSummaries(): Promise<void> {
    await this.#send("PUT", "/v1/system/reconcile/summaries");
  }

  async drainNode(id: string): Promise<void> {
    const spec = { DrainSpec: { Deadline: 30_000_000_000, IgnoreSystemJobs: false } };
    await this.#send("POST", `/v1/node/${id}/drain`, spec);
  }

  async endDrain(id: string): Promise<void> {
    await this.#send("POST", `/v1/node/${id}/drain`, { DrainSpec: null, MarkEligible: true });
  }

  async createNamespace(name: string): Promise<void> {
    await this.#send("PUT", `/v1/namespace/${name}`, { Name: name, Description: "of a test" });
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.#send("DELETE", `/v1/namespace/${name}`);
  }

  async collectGarbage(): Promise<void> {
    await this.#send("PUT", "/v1/system/gc");
  }

  async #send(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(`${this.#address}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }
}

export interface JobSpec {
  readonly id: string;
  readonly namespace: string;
  readonly count: number;
  /** Shell line of the one task. */
  readonly command: string;
  readonly type?: "service" | "batch" | "system";
  readonly restarts?: number;
  /** Default: any. */
  readonly datacenter?: string;
}

function jobOf(spec: JobSpec): object {
  const { id, namespace, count, command, type = "service", restarts = 0, datacenter = "*" } = spec;
  return {
    ID: id,
    Name: id,
    Namespace: namespace,
    Type: type,
    Datacenters: [datacenter],
    TaskGroups: [
      {
        Name: "g",
        Count: count,
        RestartPolicy: { Attempts: restarts, Interval: 600_000_000_000, Delay: 100_000_000, Mode: "fail" },
        ...(type === "system" ? {} : { ReschedulePolicy: { Attempts: 0, Unlimited: false } }),
        ...(type === "service"
          ? { Update: { MinHealthyTime: 100_000_000, HealthCheck: "task_states" } }
          : {}),
        Tasks: [
          {
            Name: "t",
            Driver: "raw_exec",
            KillTimeout: 1_000_000_000,
            Config: { command: "/bin/sh", args: ["-c", command] },
            Resources: { CPU: 20, MemoryMB: 16 },
          },
        ],
      },
    ],
  };
}
