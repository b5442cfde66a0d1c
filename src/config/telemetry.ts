import { isReference, SECRET_HEADER } from "../schemas/destinations/fields.ts";
import type { Config } from "./config.ts";
import { defined } from "./defined.ts";
import type { OptionName, OptionValues } from "./options.ts";
import type { ReadOptions } from "./sources.ts";

/** What no single option of telemetry can say of itself. */
export function telemetryConflicts({ values, origins }: ReadOptions<OptionName>): string[] {
  const problems: string[] = [];
  if ((values.otlpClientCert === undefined) !== (values.otlpClientKey === undefined)) {
    problems.push("--otlp-client-cert and --otlp-client-key: give both or neither");
  }
  // The standard variable holds secrets, as variables do; a flag shows in process lists, and a file is shared.
  if (origins.otlpHeaders.kind === "environment") return problems;
  for (const [name, value] of Object.entries(values.otlpHeaders ?? {})) {
    if (!SECRET_HEADER.test(name) || isReference(value)) continue;
    problems.push(
      `--otlp-headers: what stands for ${name} is a secret (not shown) (${origins.otlpHeaders.text}); allowed: env:NAME or file:PATH`,
    );
  }
  return problems;
}

export function telemetryOf(values: OptionValues): Pick<Config, "telemetry"> {
  const { otlpEndpoint: endpoint, otlpSignals: signals } = values;
  if (endpoint === undefined) return {};
  return {
    telemetry: {
      endpoint,
      headers: values.otlpHeaders ?? {},
      traces: signals.includes("traces"),
      metrics: signals.includes("metrics"),
      encoding: values.otlpProtocol === "http/json" ? "json" : "protobuf",
      traceRatio: values.otlpTraceRatio,
      metricsEveryMs: values.otlpMetricsEvery,
      serviceName: values.otlpServiceName,
      attributes: values.otlpAttributes ?? {},
      tls: defined({
        caCert: values.otlpCaCert,
        clientCert: values.otlpClientCert,
        clientKey: values.otlpClientKey,
      }),
    },
  };
}
