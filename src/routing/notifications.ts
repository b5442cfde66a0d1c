import type { AlertJson } from "../schemas/alert-schema.ts";
import type { Silence } from "../schemas/routes.ts";
import { isMuted } from "./mute.ts";
import { silencesOf } from "./silenced.ts";
import { routesOf, type Route, type RouteNode } from "./tree.ts";

/** What a destination was told last about a group. Plain data, to be kept beside the alerts. */
export interface GroupState {
  /** Of the destination and the labels in common: the same whatever becomes of the routes. */
  readonly key: string;
  readonly destination: string;
  /** That its alerts came by last. */
  readonly route: Route;
  readonly labels: Readonly<Record<string, string>>;
  /** When the first of what was not told yet was seen, ms; null: nothing is. */
  readonly waitsSince: number | null;
  readonly lastSentAt: number | null;
  /** What it believes to fire, by alert and its beginning. */
  readonly told: Readonly<Record<string, AlertJson>>;
  /** What a message on its way says to fire. Whoever goes on after a crash does not know whether it came. */
  readonly onItsWay?: Readonly<Record<string, AlertJson>>;
}

/** One message: what fires now, and what ended since the last. */
export interface Notification {
  readonly group: GroupState;
  readonly firing: readonly AlertJson[];
  readonly resolved: readonly AlertJson[];
  /** Nothing changed; it is told again as it still fires. */
  readonly isRepeat: boolean;
}

export interface Plan {
  /** To be sent now. Until `told` says that one was, it is planned again. */
  readonly notifications: readonly Notification[];
  readonly groups: readonly GroupState[];
  /** When to plan again though nothing happens, ms. */
  readonly nextAt: number | undefined;
}

export interface Situation {
  readonly tree: readonly RouteNode[];
  /** Those that fire. */
  readonly firing: readonly AlertJson[];
  /** Those that ended lately. */
  readonly ended: readonly AlertJson[];
  readonly silences: readonly Silence[];
  readonly now: number;
}

/** What is to be said, to whom, given what was said. */
export function plan(groups: readonly GroupState[], situation: Situation): Plan {
  const members = membersOf(situation, groups);
  const known = new Map(groups.map((group) => [group.key, group]));
  for (const [key, { destination, labels, route }] of members) {
    const { waitsSince = null, lastSentAt = null, told: alerts = {}, ...before } = known.get(key) ?? {};
    known.set(key, { ...before, key, destination, route, labels, waitsSince, lastSentAt, told: alerts });
  }
  const planned = [...known.values()].map((group) =>
    planGroup(pastOf(group, situation.now), members.get(group.key)?.alerts ?? [], situation),
  );
  const dues = planned.flatMap(({ dueAt }) => dueAt ?? []).filter((due) => due > situation.now);
  return {
    notifications: planned.flatMap(({ notification }) => notification ?? []),
    groups: planned.map(({ group }) => group).filter((group) => isWorthKeeping(group)),
    nextAt: dues.length === 0 ? undefined : Math.min(...dues),
  };
}

/** The groups while the notification is on its way. */
export function onTheWay(groups: readonly GroupState[], { group, firing }: Notification): GroupState[] {
  const onItsWay = { ...group.onItsWay, ...byInstance(firing) };
  return groups.map((known) => (known.key === group.key ? { ...known, onItsWay } : known));
}

/** The groups after the destination did not take it. */
export function notTold(groups: readonly GroupState[], { group }: Notification): GroupState[] {
  const { onItsWay = {} } = group;
  return groups.map((known) => (known.key === group.key ? { ...known, onItsWay } : known));
}

/** The groups after the destination took the notification at `now`. */
export function told(
  groups: readonly GroupState[],
  { group, firing }: Notification,
  now: number,
): GroupState[] {
  const { onItsWay: _, ...rest } = group;
  const after: GroupState = { ...rest, waitsSince: null, lastSentAt: now, told: byInstance(firing) };
  return groups.flatMap((known) => (known.key === group.key ? (firing.length > 0 ? [after] : []) : [known]));
}

function byInstance(alerts: readonly AlertJson[]): Record<string, AlertJson> {
  return Object.fromEntries(alerts.map((alert) => [instanceOf(alert), alert]));
}

/** What of these groups is yet to be said: since when, and when it is to be, ms; null while it is muted. */
export function waitingOf(
  groups: readonly GroupState[],
  now: number,
): { labels: GroupState["labels"]; sinceMs: number; dueAtMs: number | null }[] {
  return groups.flatMap((group) => {
    const { labels, waitsSince, route } = group;
    if (waitsSince === null) return [];
    return { labels, sinceMs: waitsSince, dueAtMs: isMuted(route.mute, now) ? null : dueTime(group) };
  });
}

/** An alert that ended and begins anew is another one. */
export function instanceOf({ id, startsAt }: AlertJson): string {
  return `${id}@${startsAt}`;
}

export function keyOf(destination: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify([destination, labels]);
}

interface Member {
  readonly route: Route;
  readonly destination: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly alerts: AlertJson[];
}

/**
 * Firing alerts by group, of each destination that they go to. What was told in one group stays in it, also where the
 * routes would now group it otherwise: nobody is told of it twice.
 */
function membersOf({ tree, firing }: Situation, groups: readonly GroupState[]): Map<string, Member> {
  const members = new Map<string, Member>();
  const former = groupsByTold(groups);
  for (const alert of firing) {
    for (const route of routesOf(tree, alert).routes) {
      for (const destination of route.to) {
        const labels =
          former.get(toldKey(destination, instanceOf(alert)))?.labels ?? commonLabels(route, alert);
        const key = keyOf(destination, labels);
        const member = members.get(key) ?? { route, destination, labels, alerts: [] };
        members.set(key, member);
        // Two routes may lead to the same place.
        if (!member.alerts.includes(alert)) member.alerts.push(alert);
      }
    }
  }
  return members;
}

function commonLabels({ groupBy }: Route, { labels }: AlertJson): Record<string, string> {
  return Object.fromEntries(
    groupBy.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])),
  );
}

/** By destination and alert: in which group it was told, or may have been. */
function groupsByTold(groups: readonly GroupState[]): Map<string, GroupState> {
  return new Map(
    groups.flatMap((group) =>
      Object.keys({ ...group.onItsWay, ...group.told }).map(
        (instance) => [toldKey(group.destination, instance), group] as const,
      ),
    ),
  );
}

function toldKey(destination: string, instance: string): string {
  return `${destination} ${instance}`;
}

interface GroupPlan {
  readonly group: GroupState;
  readonly notification?: Notification;
  readonly dueAt?: number | undefined;
}

function planGroup(group: GroupState, all: readonly AlertJson[], situation: Situation): GroupPlan {
  const { now, silences } = situation;
  const firing = all.filter(
    (alert) => group.told[instanceOf(alert)] !== undefined || !isSilenced(silences, alert, now),
  );
  const resolved = endedOf(group, situation);
  const isNews = resolved.length > 0 || firing.some((alert) => group.told[instanceOf(alert)] === undefined);
  const waitsSince = isNews ? (group.waitsSince ?? now) : null;
  const waiting = { ...group, waitsSince };
  if (!isNews && firing.every((alert) => isSilenced(silences, alert, now))) return { group: waiting };
  const dueAt = dueTime(waiting);
  if (dueAt > now) return { group: waiting, dueAt };
  if (isMuted(group.route.mute, now)) return { group: waiting, dueAt: nextMinute(now) };
  return { group: waiting, notification: { group: waiting, firing, resolved, isRepeat: !isNews } };
}

/** What was told to fire, or may have been, and does so no longer, as it ended where that is known. Silences do not hold it back. */
function endedOf(group: GroupState, { firing, ended, now }: Situation): AlertJson[] {
  const instances = new Set(firing.map(instanceOf));
  return Object.entries({ ...group.onItsWay, ...group.told })
    .filter(([instance]) => !instances.has(instance))
    .map(([instance, alert]) => {
      const end = ended.find((one) => instanceOf(one) === instance);
      return end ?? { ...alert, state: "resolved", endsAt: new Date(now).toISOString(), reason: null };
    });
}

/** Nothing was told in the future: the clock was set back since. */
function pastOf(group: GroupState, now: number): GroupState {
  const { waitsSince, lastSentAt } = group;
  const past = (at: number | null) => (at === null ? null : Math.min(at, now));
  return { ...group, waitsSince: past(waitsSince), lastSentAt: past(lastSentAt) };
}

function dueTime({ waitsSince, lastSentAt, route }: GroupState): number {
  if (lastSentAt === null) return (waitsSince ?? 0) + route.groupWaitMs;
  return lastSentAt + (waitsSince === null ? route.repeatIntervalMs : route.groupIntervalMs);
}

function isSilenced(silences: readonly Silence[], alert: AlertJson, now: number): boolean {
  return silencesOf(silences, alert, now).length > 0;
}

function nextMinute(now: number): number {
  return (Math.floor(now / 60_000) + 1) * 60_000;
}

function isWorthKeeping({ waitsSince, told: known, onItsWay = {} }: GroupState): boolean {
  return waitsSince !== null || Object.keys({ ...onItsWay, ...known }).length > 0;
}
