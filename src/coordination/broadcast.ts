/**
 * Carries what the one who performs an assignment has to say to all other processes of the feed. Nothing is kept for
 * who comes later: who has missed something is told so, and hears soon what there is to know.
 */
export interface Broadcast {
  /** Speaks until `signal` aborts, or another process begins to. */
  speak(speech: Speech, signal: AbortSignal): Voice;
  /** Hears what another process says, until `signal` aborts. */
  listen(listener: BroadcastListener, signal: AbortSignal): Promise<void>;
  /** Has whoever speaks hear that something is asked of it, within seconds. @throws LogUnavailable. */
  ask(): Promise<void>;
}

export interface Speech {
  /** What to know for who has heard nothing so far: said first, and again every two seconds. No line break in it. */
  status(): string;
  /** Another process has called `ask`. */
  onAsked(): void;
}

export interface Voice {
  /** One message, without a line break. While Redis is away, nothing is said: the status is, later. */
  say(message: string): void;
  readonly ended: Promise<"stopped" | "fenced">;
}

export interface BroadcastListener {
  /** Since the last break each message once, in order. */
  onMessage(message: string): void;
  /** Something may have been missed, nothing is heard, or another process speaks from now on. */
  onBreak(reason: string): void;
}
