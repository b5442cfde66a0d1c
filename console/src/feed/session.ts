import { signal } from "@preact/signals";
import type { Session } from "nomad-changefeed-client";
import { api } from "./api.ts";

/** Who reads here. Undefined until the bridge has said whether it asks. */
export const session = signal<Session | undefined>(undefined);

export async function readSession(): Promise<void> {
  session.value = await api().session();
}

export async function signIn(token: string, options: { remember: boolean }): Promise<void> {
  session.value = await api().signIn(token, options);
}

export async function signOut(): Promise<void> {
  await api().signOut();
  await readSession();
}
