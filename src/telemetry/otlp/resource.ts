import type { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";

type Resource = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]["resource"];
type Attributes = Resource["attributes"];

/** Attributes that do not change, as OpenTelemetry's library takes them. */
export class FixedResource implements Resource {
  readonly attributes: Attributes;
  constructor(attributes: Attributes) {
    this.attributes = attributes;
  }

  merge(other: Resource | null): Resource {
    return new FixedResource({ ...this.attributes, ...other?.attributes });
  }

  getRawAttributes(): [string, Attributes[string]][] {
    return Object.entries(this.attributes);
  }
}

/** Of whoever measures and traces here. */
export const INSTRUMENTATION = { name: "nomad-changefeed" };

/** Ms since 1970, with what is below, as seconds and nanoseconds. */
export function hrTimeOfMs(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
