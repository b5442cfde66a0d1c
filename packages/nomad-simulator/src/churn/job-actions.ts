import { registerJob, scaleJob, stopJob, type JobInput, type Registration } from "../cluster/jobs.ts";
import { isActiveDeployment } from "../model/deployment.ts";
import type { Row } from "../store/row.ts";
import { jobGroup } from "../store/state.ts";
import { groupsFor, jobName } from "./names.ts";
import { anyRow, someRow, type World } from "./world.ts";

/** Registers a job and lets its evaluation run. */
function begin(world: World, register: () => Registration): boolean {
  const { evaluation } = register();
  if (evaluation !== undefined) world.agenda.add("evaluation", evaluation.key);
  return true;
}

function submit(world: World, input: JobInput): boolean {
  return begin(world, () => world.cluster.write("JobRegistered", (tx) => registerJob(tx, input)));
}

/** One of the namespaces that stay; younger ones come and go empty. */
function oldNamespace({ cluster, random, targets }: World): string {
  const { namespaces } = cluster.state.tables;
  const staying = Math.min(namespaces.size, targets.namespaces);
  return namespaces.at(random.between(0, staying - 1))?.key ?? "default";
}

export function registerService(world: World): boolean {
  const { cluster, random } = world;
  const purged = world.purged.length > 0 && random.chance(0.4) ? world.purged.shift() : undefined;
  const { namespaces } = cluster.state.tables;
  const back = namespaces.get("-", purged?.namespace ?? "") === undefined ? undefined : purged;
  if (back === undefined && cluster.state.tables.jobs.size > world.targets.jobs * 1.2) return false;
  const namespace = back?.namespace ?? oldNamespace(world);
  return submit(world, {
    id: back?.id ?? jobName(random),
    namespace,
    groups: groupsFor(random, random.between(1, 5)),
    canaries: random.chance(0.3) ? 1 : 0,
    autoRevert: random.chance(0.6),
    autoPromote: random.chance(0.3),
  });
}

export function registerBatch(world: World): boolean {
  const { cluster, random } = world;
  if (cluster.state.tables.jobs.size > world.targets.jobs * 1.3) return false;
  const namespace = oldNamespace(world);
  const kind = random.next();
  return submit(world, {
    id: `batch-${jobName(random)}`,
    namespace,
    type: "batch",
    groups: groupsFor(random, random.between(1, 3)),
    periodic: kind < 0.15,
    parameterized: kind > 0.85,
  });
}

/** A periodic launch or a dispatch: a child job with a slash in its id. */
export function launchChild(world: World): boolean {
  const isParent = (row: Row<"jobs">): boolean =>
    (row.stub.Periodic || row.stub.ParameterizedJob) && !row.stub.Stop;
  const parent = someRow(world, "jobs", isParent);
  if (parent === undefined || !isParent(parent)) return false;
  const { random } = world;
  const launch = 1_795_441_531 + random.between(0, 999_999);
  const suffix = parent.stub.Periodic
    ? `periodic-${launch}`
    : `dispatch-${launch}-${random.uuid().slice(0, 8)}`;
  return submit(world, {
    id: `${parent.key}/${suffix}`,
    namespace: parent.namespace,
    type: "batch",
    parentId: parent.key,
    groups: parent.model.groups,
  });
}

const isLiveService = (row: Row<"jobs">): boolean => row.stub.Type === "service" && !row.stub.Stop;

function isDeploying(world: World, job: Row<"jobs">): boolean {
  const deployments = world.cluster.state.tables.deployments.group(jobGroup(job.namespace, job.key));
  return deployments.some(({ stub }) => isActiveDeployment(stub));
}

export function updateService(world: World): boolean {
  const interrupts = world.random.chance(0.15);
  const fits = (row: Row<"jobs">): boolean => isLiveService(row) && (interrupts || !isDeploying(world, row));
  const job = someRow(world, "jobs", fits);
  if (job === undefined || !fits(job)) return false;
  return submit(world, {
    id: job.key,
    namespace: job.namespace,
    canaries: world.random.chance(0.3) ? 1 : 0,
  });
}

export function scale(world: World): boolean {
  const job = someRow(world, "jobs", isLiveService);
  const group = job?.model.groups[0];
  if (job === undefined || group === undefined || !isLiveService(job)) return false;
  const count = Math.max(1, Math.min(group.count + world.random.pick([-2, -1, 1, 2]), 40));
  return begin(world, () =>
    world.cluster.write("JobRegistered", (tx) => scaleJob(tx, job, group.name, count)),
  );
}

export function stop(world: World): boolean {
  const job = someRow(world, "jobs", isLiveService);
  if (job === undefined || !isLiveService(job)) return false;
  return begin(world, () => world.cluster.write("JobDeregistered", (tx) => stopJob(tx, job)));
}

/** Remembers what it purged, so that the same id may come back as another job. */
export function purge(world: World): boolean {
  const { cluster, targets, random } = world;
  const fits = (row: Row<"jobs">): boolean => row.stub.Stop || row.stub.Status === "dead";
  const job = someRow(world, "jobs", fits);
  const crowded = cluster.state.tables.jobs.size > targets.jobs;
  if (job === undefined || (!fits(job) && !crowded && random.chance(0.7))) return false;
  cluster.purgeJob(job.namespace, job.key);
  if (job.stub.Type === "service") world.purged.push({ namespace: job.namespace, id: job.key });
  if (world.purged.length > 20) world.purged.shift();
  return true;
}

export function tagVersion(world: World): boolean {
  const job = anyRow(world, "jobs");
  if (job === undefined) return false;
  world.cluster.tagJobVersion(job.namespace, job.key, `v${world.random.between(1, 99)}`);
  return true;
}

export function touch(world: World): boolean {
  const job = anyRow(world, "jobs");
  if (job === undefined) return false;
  world.cluster.touchJob(job.namespace, job.key);
  return true;
}
