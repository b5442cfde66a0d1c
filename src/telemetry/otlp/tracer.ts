import { spanContextOf, traceparentOf, type SpanContext } from "../../schemas/traceparent.ts";
import type { Clock } from "../../shared/clock.ts";
import type { SpanAttributes, SpanError, SpanOptions, Tracer, TraceSpan } from "../tracing.ts";
import type { EndedSpan } from "./spans.ts";

export interface TracerDeps {
  readonly clock: Pick<Clock, "now" | "elapsed">;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Share of traces that are recorded, 0 to 1. */
  readonly ratio: number;
  /** Of what every trace begins with: which feed it is. */
  readonly attributes: SpanAttributes;
  /** Takes a span that has ended; must not throw, and costs little. */
  readonly take: (span: EndedSpan) => void;
}

/** What follows from so many traces names no more of them. */
const MOST_LINKS = 128;

/** Makes spans, and hands over those that end. */
export class OtlpTracer implements Tracer {
  readonly #deps: TracerDeps;

  constructor(deps: TracerDeps) {
    this.#deps = deps;
  }

  begin(name: string, options: SpanOptions = {}): TraceSpan | undefined {
    if (this.#deps.random() >= this.#deps.ratio) return undefined;
    return this.#root(name, options, {});
  }

  follow(name: string, traceparents: Iterable<string>, options: SpanOptions = {}): TraceSpan | undefined {
    const contexts = [...new Set(traceparents)].flatMap((text) => spanContextOf(text) ?? []);
    const [first] = contexts;
    if (first === undefined) return undefined;
    if (contexts.length === 1) return this.#root(name, options, { parent: first });
    return this.#root(name, options, { links: contexts.slice(0, MOST_LINKS) });
  }

  #root(
    name: string,
    options: SpanOptions,
    place: { parent?: SpanContext; links?: readonly SpanContext[] },
  ): TraceSpan {
    const { clock, random, attributes, take } = this.#deps;
    const making: Making = { clock, random, take, sinceMs: clock.now() - clock.elapsed() };
    return new OtlpSpan(
      name,
      { ...options, attributes: { ...attributes, ...options.attributes } },
      { traceId: place.parent?.traceId ?? hex(random, 32), ...place },
      making,
    );
  }
}

/** What all spans of a trace are made with here. */
interface Making extends Pick<TracerDeps, "clock" | "random" | "take"> {
  /** What `elapsed` counts from, ms since 1970: within a trace nobody sets the clock. */
  readonly sinceMs: number;
}

class OtlpSpan implements TraceSpan {
  readonly #name: string;
  readonly #kind: NonNullable<SpanOptions["kind"]>;
  readonly #context: SpanContext;
  readonly #parent: SpanContext | undefined;
  readonly #links: readonly SpanContext[];
  readonly #beganAtMs: number;
  readonly #making: Making;
  #attributes: SpanAttributes;

  constructor(
    name: string,
    options: SpanOptions,
    place: { traceId: string; parent?: SpanContext; links?: readonly SpanContext[] },
    making: Making,
  ) {
    const { kind = "internal", beganAtMs = making.clock.elapsed(), attributes = {} } = options;
    this.#name = name;
    this.#kind = kind;
    this.#context = { traceId: place.traceId, spanId: hex(making.random, 16) };
    this.#parent = place.parent;
    this.#links = place.links ?? [];
    this.#beganAtMs = beganAtMs;
    this.#attributes = attributes;
    this.#making = making;
  }

  get traceparent(): string {
    return traceparentOf(this.#context);
  }

  child(name: string, options: SpanOptions = {}): TraceSpan {
    const place = { traceId: this.#context.traceId, parent: this.#context };
    return new OtlpSpan(name, options, place, this.#making);
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  end({ error, atMs }: { error?: SpanError; atMs?: number } = {}): void {
    const { clock, sinceMs, take } = this.#making;
    const endedAtMs = Math.max(this.#beganAtMs, atMs ?? clock.elapsed());
    take({
      name: this.#name,
      kind: this.#kind,
      context: this.#context,
      parent: this.#parent,
      links: this.#links,
      beganAtMs: sinceMs + this.#beganAtMs,
      endedAtMs: sinceMs + endedAtMs,
      attributes: this.#attributes,
      error,
    });
  }
}

/** So many hex digits, not all of them 0: that would be no id. */
function hex(random: () => number, digits: number): string {
  let text = "";
  while (text.length < digits) {
    text += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
  return /[1-9a-f]/.test(text) ? text : `${text.slice(1)}1`;
}
