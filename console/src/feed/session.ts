import { signal } from "@preact/signals";
import { RequestFailed, StreamRefused, type Session } from "nomad-changefeed-client";
import { api } from "./api.ts";

/** Who reads here. Undefined until the bridge has said whether it asks. */
export const session = signal<Session | undefined>(undefined);

export async function readSession(): Promise<void> {
  session.value = await api().session();
}

export async function signIn(token: string, options: { remember: boolean }): Promise<void> {
  session.value = await api().signIn(token, options);
}

/** The page begins anew: what one reader saw is not for the next. */
export async function signOut(): Promise<void> {
  await api().signOut();
  location.reload();
}

/** Where the bridge does not know the reader any more, it is asked who reads here: the page then asks for a token. */
export function heedSession(reason: unknown): void {
  const isOver =
    (reason instanceof RequestFailed && reason.code === "UNAUTHORIZED") ||
    (reason instanceof StreamRefused && reason.reason === "UNAUTHORIZED");
  if (isOver) void readSession().catch(() => undefined);
}
