/** The few writes to Nomad that tests make. All reject with Nomad's own words. */
export class NomadWriter {
  readonly #address: string;
  readonly #token: string;

  constructor(address: string, token = "") {
    this.#address = address;
    this.#token = token;
  }

  async registerJob(job: JobSpec): Promise<void> {
    await this.#send("PUT", "/v1/jobs", { Job: jobOf(job) });
  }

  /** A job that runs only when it is dispatched: it needs no node, and no evaluation comes of it. */
  async registerTemplate(id: string, namespace: string, note: string): Promise<void> {
    await this.#send("PUT", "/v1/jobs", { Job: templateOf(id, namespace, note) });
  }

  /** Marks a version as stable: Nomad writes the job, and its event stream says nothing. */
  async setStable(job: string, namespace: string, version: number): Promise<void> {
    const path = `/v1/job/${encodeURIComponent(job)}/stable?namespace=${namespace}`;
    await this.#send("PUT", path, { JobID: job, JobVersion: version, Stable: true });
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

  /** Of a cluster that asks for tokens: its first, which may do anything. */
  async bootstrapAcl(): Promise<string> {
    return secretOf(await this.#send("POST", "/v1/acl/bootstrap", {}));
  }

  /** A token that may read one namespace. */
  async createReader(namespace: string): Promise<string> {
    const rules = { Name: namespace, Rules: `namespace "${namespace}" { policy = "read" }` };
    await this.#send("PUT", `/v1/acl/policy/${namespace}`, rules);
    return secretOf(await this.#send("PUT", "/v1/acl/token", { Type: "client", Policies: [namespace] }));
  }

  async saveSnapshot(): Promise<ArrayBuffer> {
    const response = await fetch(`${this.#address}/v1/operator/snapshot`);
    if (!response.ok) throw new Error(`snapshot: ${response.status} ${await response.text()}`);
    return response.arrayBuffer();
  }

  async restoreSnapshot(snapshot: ArrayBuffer): Promise<void> {
    const response = await fetch(`${this.#address}/v1/operator/snapshot`, { method: "PUT", body: snapshot });
    if (!response.ok) throw new Error(`restore: ${response.status} ${await response.text()}`);
  }

  async #send(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(`${this.#address}${path}`, {
      method,
      headers: { "X-Nomad-Token": this.#token },
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
  /** How many allocations of a service a rollout replaces at once. Default: 1. */
  readonly maxParallel?: number;
  /** How long an allocation must run before it counts as healthy, ms. Default: 100. */
  readonly minHealthyMs?: number;
  /** How long allocations may be without word of their node before they are lost, ms. Default: not at all. */
  readonly lostAfterMs?: number;
  /** Whether a rollout that fails goes back to the version before. */
  readonly autoRevert?: boolean;
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
        ...(spec.lostAfterMs === undefined
          ? {}
          : { Disconnect: { LostAfter: spec.lostAfterMs * 1_000_000 } }),
        ...(type === "service" ? { Update: updateOf(spec) } : {}),
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

function updateOf({ maxParallel = 1, minHealthyMs = 100, autoRevert = false }: JobSpec): object {
  return {
    MinHealthyTime: minHealthyMs * 1_000_000,
    HealthCheck: "task_states",
    MaxParallel: maxParallel,
    AutoRevert: autoRevert,
  };
}

function secretOf(token: string): string {
  return (JSON.parse(token) as { SecretID: string }).SecretID;
}

function templateOf(id: string, namespace: string, note: string): object {
  const job = jobOf({ id, namespace, count: 1, command: "exit 0", type: "batch" });
  return { ...job, ParameterizedJob: {}, Meta: { note } };
}
