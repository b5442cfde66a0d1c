import type { Destination, Outgoing, SendResult } from "../../src/publishers/delivery/destination.ts";

type Answer = SendResult | Promise<SendResult>;

/** A destination that answers as a test says, and remembers what it was asked. */
export class ScriptedDestination implements Destination {
  readonly target = "test:";
  limits: { readonly maxEvents?: number; readonly maxBytes?: number } = {};
  /** Every batch that was sent, whatever the answer was. */
  readonly sends: (readonly Outgoing[])[] = [];
  /** Ids of the events that it took, in order, repeated ones each time. */
  readonly taken: string[] = [];
  answer: (batch: readonly Outgoing[], signal: AbortSignal) => Answer;

  constructor(
    answer: (batch: readonly Outgoing[], signal: AbortSignal) => Answer = () => ({ outcome: "ok" }),
  ) {
    this.answer = answer;
  }

  async send(batch: readonly Outgoing[], signal: AbortSignal): Promise<SendResult> {
    this.sends.push(batch);
    const result = await this.answer(batch, signal);
    this.taken.push(...takenOf(batch, result).map(({ id }) => id));
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open.
  }
}

function takenOf(batch: readonly Outgoing[], result: SendResult): readonly Outgoing[] {
  if (result.outcome === "ok") return batch;
  const { which } = result;
  return which === undefined ? [] : batch.filter((_, position) => !which.includes(position));
}
