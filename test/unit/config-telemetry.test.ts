import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigInvalid } from "../../src/config/errors.ts";
import { OPTIONS, type OptionName } from "../../src/config/options.ts";
import { resolveConfig } from "../../src/config/resolve.ts";

type Flags = Partial<Record<OptionName, string>>;
const ENDPOINT = { otlpEndpoint: "http://127.0.0.1:4318" };

function telemetryOf(flags: Flags, env: Record<string, string> = {}) {
  return resolveConfig({ flags, env }).config.telemetry;
}

function problemsOf(flags: Flags, env: Record<string, string> = {}): readonly string[] {
  try {
    telemetryOf(flags, env);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.problems;
    throw error;
  }
  return [];
}

describe("telemetry by OTLP", () => {
  it("is off unless an endpoint is given, whatever else is", () => {
    expect(telemetryOf({ otlpSignals: "traces" }, { OTEL_SERVICE_NAME: "feed" })).toBeUndefined();
    expect(telemetryOf(ENDPOINT)).toEqual({
      endpoint: "http://127.0.0.1:4318",
      headers: {},
      traces: true,
      metrics: true,
      encoding: "protobuf",
      traceRatio: 1,
      metricsEveryMs: 60_000,
      serviceName: "nomad-changefeed",
      attributes: {},
      tls: {},
    });
  });

  it("reads OpenTelemetry's own variables, as they are written there", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example/otlp",
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20YTpi%3D%3D,X-Scope-OrgID=ops",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_METRIC_EXPORT_INTERVAL: "15000",
      OTEL_SERVICE_NAME: "feed",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=prod, team=a%2Cb",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/ca.pem",
    };
    expect(telemetryOf({}, env)).toMatchObject({
      endpoint: "https://otlp.example/otlp",
      headers: { Authorization: "Basic YTpi==", "X-Scope-OrgID": "ops" },
      encoding: "json",
      metricsEveryMs: 15_000,
      serviceName: "feed",
      attributes: { "deployment.environment.name": "prod", team: "a,b" },
      tls: { caCert: "/ca.pem" },
    });
  });

  it("takes maps, numbers and lists of the file", () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), "ncf-config-"));
    const config = join(folder.path, "feed.yaml");
    writeFileSync(
      config,
      "otlp-endpoint: env:OTLP_ADDRESS\notlp-headers: { Authorization: env:OTLP_TOKEN }\notlp-signals: [traces]\notlp-trace-ratio: 0.25\n",
    );
    expect(telemetryOf({ config })).toMatchObject({
      endpoint: "env:OTLP_ADDRESS",
      headers: { Authorization: "env:OTLP_TOKEN" },
      metrics: false,
      traceRatio: 0.25,
    });
  });

  it.each<[Flags, RegExp]>([
    [
      { otlpEndpoint: "collector:4318" },
      /^--otlp-endpoint: "collector:4318" .*begins with https:\/\/ or http/,
    ],
    [{ otlpEndpoint: "http://me:secret@collector" }, /^--otlp-endpoint: "http:\/\/\[redacted\]@collector"/],
    [{ otlpSignals: "logs" }, /^--otlp-signals: "logs" .*allowed: traces, metrics/],
    [{ otlpProtocol: "grpc" }, /^--otlp-protocol: "grpc" .*allowed: http\/protobuf, http\/json/],
    [{ otlpTraceRatio: "5%" }, /^--otlp-trace-ratio: "5%" .*allowed: a number from 0 to 1/],
    [{ otlpTraceRatio: "1.5" }, /^--otlp-trace-ratio: .*allowed: a number from 0 to 1/],
    [{ otlpMetricsEvery: "10" }, /^--otlp-metrics-every: "10" .*from 1s to 1h.*a bare number is ms/],
    [{ otlpAttributes: "prod" }, /^--otlp-attributes: "prod" .*allowed: name=value/],
    [{ otlpAttributes: "team=%zz" }, /^--otlp-attributes: .*allowed: name=value/],
    [{ otlpHeaders: "no space=x" }, /^--otlp-headers: the value given \(not shown\) .*env:NAME or file:PATH/],
    [
      { otlpHeaders: "Authorization=hunter2" },
      /^--otlp-headers: what stands for Authorization is a secret \(not shown\)/,
    ],
    [{ otlpClientCert: "a.pem" }, /^--otlp-client-cert and --otlp-client-key: give both or neither/],
  ])("%j is refused", (flags, problem) => {
    const problems = problemsOf({ ...ENDPOINT, ...flags });
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toMatch(/hunter2|me:secret/);
  });

  it("takes a secret header by reference, and in OpenTelemetry's variable, where secrets stand as they are", () => {
    expect(problemsOf({ ...ENDPOINT, otlpHeaders: "Authorization=env:TOKEN,X-Scope-OrgID=ops" })).toEqual([]);
    expect(problemsOf(ENDPOINT, { OTEL_EXPORTER_OTLP_HEADERS: "api-key=hunter2" })).toEqual([]);
  });

  it("prints headers without what may be a secret", () => {
    expect(OPTIONS.otlpHeaders.type.print({ Authorization: "env:TOKEN", "X-Scope-OrgID": "ops" })).toBe(
      "Authorization=env:TOKEN,X-Scope-OrgID=…",
    );
  });
});
