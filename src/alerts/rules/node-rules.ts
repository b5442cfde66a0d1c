import * as nodes from "../conditions/nodes.ts";
import { HOUR, MINUTE, rule } from "./define.ts";
import type { AnyRule } from "./rule.ts";

const NODE_PAGE = "clients/{node}";
const LOST = ["NodeDown", "NodeDisconnected"];

export const NODE_RULES: readonly AnyRule[] = [
  rule({
    name: "NodeDown",
    on: "node",
    severity: "ERROR",
    forMs: MINUTE,
    keepFiringForMs: 5 * MINUTE,
    reads: ["nodes"],
    summary: "Node {nodeName} is down and took {count allocation} with it",
    meaning:
      "The node sends no heartbeats any more, or said goodbye. The allocations lost with it belong to this alert; Nomad replaces them elsewhere where there is room. A node that was drained first and takes nothing is not meant: somebody switched it off.",
    todo: [
      "See whether the machine lives, and its agent: `journalctl -u nomad` on the node.",
      "See that the replacements found a place: PlacementBlocked says so where they did not.",
    ],
    page: NODE_PAGE,
    condition: nodes.isDown,
  }),
  rule({
    name: "NodeDisconnected",
    on: "node",
    severity: "ERROR",
    forMs: MINUTE,
    keepFiringForMs: 5 * MINUTE,
    reads: ["nodes"],
    foldsInto: ["NodeDown"],
    summary: "Node {nodeName} is disconnected with {count allocation} on it",
    meaning:
      "The node sends no heartbeats, and its groups may outlast that (`disconnect`). The allocations may still run; Nomad does not know. They belong to this alert.",
    todo: ["Look at the network between the node and the servers, then as for NodeDown."],
    page: NODE_PAGE,
    condition: nodes.isDisconnected,
  }),
  rule({
    name: "NodeFlapping",
    on: "node",
    severity: "WARN",
    atLeast: 3,
    withinMs: 30 * MINUTE,
    reads: ["nodes"],
    foldsInto: LOST,
    summary: "Node {nodeName} was lost {count time} in 30 minutes; it is {status}",
    meaning:
      "The node comes and goes. Each time Nomad may move its allocations. While it is away, NodeDown or NodeDisconnected is the alert.",
    todo: [
      "Look for what starves the agent or its connection: load, memory, packet loss.",
      "Take it out until then: `nomad node eligibility -disable <node>`, or drain it.",
    ],
    page: NODE_PAGE,
    condition: nodes.flaps,
  }),
  rule({
    name: "NodeDrainSlow",
    on: "node",
    severity: "WARN",
    longerThanMs: HOUR,
    reads: ["nodes"],
    foldsInto: LOST,
    summary: "The drain of node {nodeName} goes on since {since}, with {count allocation} on the way out",
    meaning:
      "A drain lasts longer than an hour. What is not moved has no other place, or its group's `migrate` lets go of few at a time.",
    todo: [
      "See what is left: `nomad node status <node>`. PlacementBlocked says what finds no place.",
      "Force it, or call it off: `nomad node drain -enable -force <node>`, `nomad node drain -disable <node>`.",
    ],
    page: NODE_PAGE,
    condition: nodes.drainsSlowly,
  }),
  rule({
    name: "NodeDrainIncomplete",
    on: "node",
    severity: "WARN",
    forMs: 5 * MINUTE,
    reads: ["nodes", "allocations"],
    foldsInto: LOST,
    summary: "The drain of node {nodeName} is complete, with {count allocation} still running on it",
    meaning:
      "Nomad says that the drain is complete once everything was told to stop. Allocations that do not end, for instance within a long `kill_timeout`, still run. To switch the node off now kills them.",
    todo: ["Wait for them, or stop them with `nomad alloc stop`: `nomad node status <node>` lists them."],
    page: NODE_PAGE,
    condition: nodes.drainedIncompletely,
  }),
  rule({
    name: "DriverUnhealthy",
    on: "node",
    severity: "WARN",
    forMs: 2 * MINUTE,
    reads: ["nodes"],
    foldsInto: LOST,
    summary: "A task driver of node {nodeName} does not work: {why}",
    meaning:
      "A driver that is there, or worked before, is unhealthy. Nomad places nothing that needs it on the node. A driver that was never found is not meant.",
    todo: ["Look at what the driver needs on the node: for docker, `systemctl status docker`."],
    page: NODE_PAGE,
    condition: nodes.hasBrokenDriver,
  }),
];
