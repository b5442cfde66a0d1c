import { signal } from "@preact/signals";
import { api } from "./api.ts";

/** What the bridge knows of who asks. */
export interface Session {
  readonly auth: "none" | "token";
  readonly signedIn: boolean;
  readonly who: string | null;
  /** Whether they may steer deliveries and silences. */
  readonly management: boolean;
  readonly seesAll: boolean;
}

/** Who reads here. Undefined until the bridge has said whether it asks. */
export const session = signal<Session | undefined>(undefined);

export async function readSession(): Promise<void> {
  session.value = (await api().session()) as Session;
}

export async function signIn(token: string, options: { remember: boolean }): Promise<void> {
  session.value = (await api().signIn(token, options)) as Session;
}

export async function signOut(): Promise<void> {
  await api().signOut();
  await readSession();
}
