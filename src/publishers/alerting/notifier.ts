import { LogUnavailable } from "../../feed/errors.ts";
import { notTold, onTheWay, plan, told, waitingOf, type Notification } from "../../routing/notifications.ts";
import type { RouteNode } from "../../routing/tree.ts";
import type { NotifiedConfig } from "../../schemas/destinations/told.ts";
import type { Silence } from "../../schemas/routes.ts";
import { Nap } from "../delivery/nap.ts";
import type { AlertDestination, AlertSendResult } from "./alert-destination.ts";
import type { View } from "./firing.ts";
import type { Place, WaitingMessage } from "./place.ts";
import { OPEN_AGAIN_MS, type RepeatersDeps } from "./repeaters.ts";
import { aboutText } from "./story.ts";
import type { ToldGroups } from "./told-groups.ts";

/** Silences are looked at so often, and a route that is due no later. */
const LOOK_EVERY_MS = 1000;

export interface NotifierDeps extends Omit<RepeatersDeps, "open"> {
  /** Rejects where the settings are wrong. */
  readonly notify: (config: NotifiedConfig) => Promise<AlertDestination>;
  /** Those in force. */
  readonly silences: () => Promise<readonly Silence[]>;
}

/** A destination that is open. */
interface Outlet {
  readonly fingerprint: string;
  readonly destination: AlertDestination;
  readonly place: Place;
}

/** Tells people of alerts by the routes: of each group one message at a time, and to each destination one. */
export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #nap: Nap;
  readonly #outlets = new Map<string, Outlet>();
  /** Until when a destination is not opened again that could not be. */
  readonly #unopened = new Map<string, number>();
  #configured: ReadonlyMap<string, NotifiedConfig> = new Map();
  #tree: readonly RouteNode[] = [];
  #view: View | undefined;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    this.#nap = new Nap(deps.clock);
  }

  configure(destinations: readonly NotifiedConfig[], tree: readonly RouteNode[]): void {
    this.#configured = new Map(destinations.map((config) => [config.name, config]));
    this.#forgetUnopened();
    this.#tree = tree;
    this.#nap.wake();
  }

  tell(view: View): void {
    this.#view = view;
    this.#nap.wake();
  }

  /** Until `signal` aborts. @throws Fenced where somebody else tells people by now */
  async run(groups: ToldGroups, signal: AbortSignal): Promise<void> {
    this.#view = undefined;
    // No promise that every look would be raced with: it would hold all of them.
    const failures: unknown[] = [];
    const onFailed = (error: unknown): void => {
      failures.push(error);
      this.#nap.wake();
    };
    const sending = new Set<Promise<void>>();
    try {
      while (!signal.aborted) {
        await this.#reconcile(groups);
        const due = await this.#due(groups);
        if (failures.length > 0) throw failures[0];
        await this.#note(due.values(), groups);
        for (const [outlet, notification] of due) {
          const work = this.#send(outlet, notification, groups, signal);
          sending.add(work);
          work.catch(onFailed).finally(() => sending.delete(work));
        }
        await this.#nap.sleep(LOOK_EVERY_MS, signal);
      }
    } finally {
      await Promise.allSettled(sending);
      for (const name of this.#outlets.keys()) await this.#close(name);
      this.#forgetUnopened();
    }
  }

  async #reconcile(groups: ToldGroups): Promise<void> {
    for (const [name, outlet] of this.#outlets) {
      if (this.#configured.get(name)?.fingerprint === outlet.fingerprint || outlet.place.isBusy) continue;
      await this.#close(name);
    }
    for (const config of this.#configured.values()) {
      if (this.#outlets.has(config.name)) continue;
      const destination = await this.#open(config);
      if (destination === undefined) continue;
      const { formerName } = config.settings;
      if (formerName !== undefined) groups.rename(formerName, config.name);
      const { target } = destination;
      const waiting = () => this.#waiting(config.name, groups);
      const place = this.#deps.places.open(config, { target, isOne: true }, waiting);
      this.#outlets.set(config.name, { fingerprint: config.fingerprint, destination, place });
    }
  }

  async #close(name: string): Promise<void> {
    const outlet = this.#outlets.get(name);
    this.#outlets.delete(name);
    if (outlet === undefined) return;
    this.#deps.places.close(outlet.place);
    await outlet.destination[Symbol.asyncDispose]();
  }

  #waiting(name: string, { groups }: ToldGroups): WaitingMessage[] {
    const own = groups.filter(({ destination }) => destination === name);
    return waitingOf(own, this.#deps.clock.now()).map(({ labels, ...times }) => ({
      about: aboutText(labels),
      ...times,
    }));
  }

  /** One that cannot be opened keeps nobody else from being told. */
  async #open(config: NotifiedConfig): Promise<AlertDestination | undefined> {
    const { clock, logger, notify, places } = this.#deps;
    const { name } = config;
    if ((this.#unopened.get(name) ?? 0) > clock.elapsed()) return undefined;
    try {
      return await notify(config);
    } catch (error) {
      logger.error(
        { err: error, destination: name },
        "cannot open a destination of alerts; it is tried again",
      );
      places.cannotOpen(name, error);
      this.#unopened.set(name, clock.elapsed() + OPEN_AGAIN_MS);
      return undefined;
    }
  }

  #forgetUnopened(): void {
    for (const name of this.#unopened.keys()) this.#deps.places.givenUp(name);
    this.#unopened.clear();
  }

  /** What is to be said now, one message to each destination that can be told. */
  async #due(groups: ToldGroups): Promise<Map<Outlet, Notification>> {
    const due = new Map<Outlet, Notification>();
    const silences = await this.#silences();
    if (this.#view === undefined || silences === undefined) return due;
    const { open, ended } = this.#view;
    const firing = open.filter(({ state }) => state === "firing");
    const now = this.#deps.clock.now();
    const planned = plan(groups.groups, { tree: this.#tree, firing, ended, silences, now });
    groups.groups = planned.groups.filter(({ destination }) => this.#configured.has(destination));
    for (const notification of planned.notifications) {
      const outlet = this.#outlets.get(notification.group.destination);
      if (outlet !== undefined && isFree(outlet) && !due.has(outlet)) due.set(outlet, notification);
    }
    return due;
  }

  /** Undefined while the log is away: who would be silenced is not known then. */
  async #silences(): Promise<readonly Silence[] | undefined> {
    try {
      return await this.#deps.silences();
    } catch (error) {
      if (error instanceof LogUnavailable) return undefined;
      throw error;
    }
  }

  async #send(
    { place, destination }: Outlet,
    notification: Notification,
    groups: ToldGroups,
    signal: AbortSignal,
  ): Promise<void> {
    const { firing, resolved } = notification;
    const { key } = notification.group;
    const message = { ...notification, remembered: groups.remembered.get(key) ?? null };
    const alerts = [...firing, ...resolved];
    const result = await place.send(alerts, (until) => destination.send(message, until), signal);
    if (result === undefined) return;
    this.#remember(groups, key, result);
    const { clock } = this.#deps;
    groups.groups = place.took(result, alerts)
      ? told(groups.groups, notification, clock.now())
      : notTold(groups.groups, notification);
    await this.#save(groups);
    this.#nap.wake();
  }

  /** What is on its way is known to whoever goes on if this process dies before it knows whether that came. */
  async #note(notifications: Iterable<Notification>, groups: ToldGroups): Promise<void> {
    const before = groups.groups;
    for (const notification of notifications) groups.groups = onTheWay(groups.groups, notification);
    if (groups.groups !== before) await this.#save(groups);
  }

  #remember({ remembered }: ToldGroups, key: string, { remember }: AlertSendResult): void {
    if (remember !== undefined) remembered.set(key, remember);
  }

  /** What cannot be kept while the log is away, is with the next message: at worst somebody is told twice. */
  async #save(groups: ToldGroups): Promise<void> {
    try {
      await groups.save();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
    }
  }
}

function isFree({ place }: Outlet): boolean {
  return !place.isBusy && !place.isPaused && place.holdMs <= 0;
}
