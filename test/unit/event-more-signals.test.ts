import { signalTable as table } from "../support/signal-table.ts";

const life = (noun: string): Parameters<typeof table>[1] => [
  ["new", undefined, {}, [`${noun}.created`]],
  ["written again", {}, { ModifyIndex: 99 }, [`${noun}.changed`]],
  ["gone", {}, undefined, [`${noun}.deleted`]],
];

table("node-pools", life("node_pool"));

table("services", [
  ["the first instance", undefined, {}, ["service.registered"]],
  ["other tags", {}, { Tags: ["c"] }, []],
  ["the last instance", {}, undefined, ["service.gone"]],
]);

table("variables", life("variable"));

table("scaling-policies", [
  ...life("scaling_policy"),
  ["off", {}, { Enabled: false }, ["scaling_policy.disabled"]],
  ["on", { Enabled: false }, {}, ["scaling_policy.enabled"]],
]);

table("csi-volumes", [
  ["new", undefined, {}, ["csi_volume.registered"]],
  ["its plugin fails", {}, { Schedulable: false }, ["csi_volume.unschedulable"]],
  ["its plugin is back", { Schedulable: false }, {}, ["csi_volume.schedulable"]],
  ["claimed", {}, { CurrentReaders: 1 }, []],
  ["no room", {}, { ResourceExhausted: "2026-08-22T10:00:00Z" }, ["csi_volume.exhausted"]],
  ["gone", {}, undefined, ["csi_volume.gone"]],
]);

table("csi-plugins", [
  ["new", undefined, {}, ["csi_plugin.registered"]],
  ["new, and not up yet", undefined, { NodesHealthy: 0 }, ["csi_plugin.registered", "csi_plugin.unhealthy"]],
  ["a node of it fails", {}, { NodesHealthy: 2 }, ["csi_plugin.unhealthy"]],
  ["another fails", { NodesHealthy: 2 }, { NodesHealthy: 1 }, []],
  ["all are back", { NodesHealthy: 2 }, {}, ["csi_plugin.healthy"]],
  ["gone", {}, undefined, ["csi_plugin.gone"]],
]);

table("host-volumes", [
  ["new", undefined, { State: "pending" }, ["host_volume.created"]],
  ["made", { State: "pending" }, { ModifyIndex: 99 }, ["host_volume.changed", "host_volume.ready"]],
  ["its node is away", {}, { State: "unavailable" }, ["host_volume.unavailable"]],
  ["gone", {}, undefined, ["host_volume.deleted"]],
]);

table("host-volume-claims", [
  ["new", undefined, {}, ["host_volume_claim.created"]],
  ["gone", {}, undefined, ["host_volume_claim.released"]],
]);

table("acl-policies", life("acl_policy"));
table("acl-roles", life("acl_role"));
table("acl-tokens", [
  ...life("acl_token"),
  [
    "one that may do everything",
    undefined,
    { Type: "management" },
    ["acl_token.created", "acl_token.management_created"],
  ],
]);
table("acl-auth-methods", life("acl_auth_method"));
table("acl-binding-rules", life("acl_binding_rule"));

table("servers", [
  ["new", undefined, {}, ["server.joined"]],
  ["dies", {}, { Status: "failed" }, ["server.failed"]],
  ["comes back", { Status: "failed" }, {}, ["server.back"]],
  ["leaves", {}, { Status: "left" }, ["server.left"]],
  ["is elected", {}, { Leader: true }, ["server.leads"]],
  ["is so no more", { Leader: true }, {}, ["server.deposed"]],
  ["is upgraded", {}, { Tags: { build: "2.1.0" } }, ["server.version_changed"]],
  ["is forgotten", { Status: "left" }, undefined, ["server.gone"]],
]);

const health = (Healthy: boolean) => ({ Servers: { "server-1.global": { Healthy } } });
table("autopilot", [
  [
    "one server fails",
    health(true),
    { Healthy: false, ...health(false) },
    ["autopilot.unhealthy", "autopilot.server_unhealthy"],
  ],
  [
    "it is back",
    { Healthy: false, ...health(false) },
    health(true),
    ["autopilot.healthy", "autopilot.server_healthy"],
  ],
  ["too few are left", {}, { FailureTolerance: 0 }, ["autopilot.no_tolerance"]],
]);

table("scheduler", [
  ["spreads", {}, { SchedulerAlgorithm: "spread" }, ["scheduler.changed"]],
  ["pauses", {}, { PauseEvalBroker: true }, ["scheduler.changed", "scheduler.paused"]],
  ["goes on", { PauseEvalBroker: true }, {}, ["scheduler.changed", "scheduler.resumed"]],
  ["takes no jobs", {}, { RejectJobRegistration: true }, ["scheduler.changed", "scheduler.rejects_jobs"]],
  ["takes jobs", { RejectJobRegistration: true }, {}, ["scheduler.changed", "scheduler.accepts_jobs"]],
]);

table("license", [
  ["another", {}, { LicenseID: "l-2" }, ["license.changed"]],
  ["ended", {}, { Terminated: true }, ["license.changed", "license.terminated"]],
]);

table("quotas", life("quota"));
table("sentinel-policies", life("sentinel_policy"));
table("recommendations", life("recommendation"));
