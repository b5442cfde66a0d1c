import type { Refusal } from "../delivery/destination.ts";
import type { Failure } from "../partly.ts";
import type { KafkaLibrary } from "./library.ts";

/** Error codes of Kafka's protocol that no repetition changes; all others may pass. */
const REFUSALS: ReadonlyMap<string, Refusal> = new Map([
  ["MESSAGE_TOO_LARGE", "too-large"],
  ["RECORD_LIST_TOO_LARGE", "too-large"],
  ["INVALID_RECORD", "poison"],
  ["INVALID_TIMESTAMP", "too-old"],
  ["TOPIC_AUTHORIZATION_FAILED", "forbidden"],
  ["CLUSTER_AUTHORIZATION_FAILED", "forbidden"],
  ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "forbidden"],
  ["SASL_AUTHENTICATION_FAILED", "forbidden"],
  ["UNKNOWN_TOPIC_OR_PARTITION", "config"],
  ["INVALID_TOPIC_EXCEPTION", "config"],
  ["INVALID_REQUIRED_ACKS", "config"],
  ["UNSUPPORTED_SASL_MECHANISM", "config"],
  ["ILLEGAL_SASL_STATE", "config"],
  ["POLICY_VIOLATION", "config"],
]);

/** What the client itself says, before or without an answer of a broker. */
const OF_THE_CLIENT: ReadonlyMap<string, Refusal> = new Map([
  ["PLT_KFK_AUTHENTICATION", "forbidden"],
  ["PLT_KFK_UNSUPPORTED", "config"],
  ["PLT_KFK_UNSUPPORTED_API", "config"],
  ["PLT_KFK_USER", "config"],
]);

/** What a failed call comes to: of all errors within it, the one that no repetition changes, else the first. */
export function failureOf(error: unknown): Failure {
  const all = [...errorsIn(error)];
  for (const { code, apiId, message } of all) {
    const why =
      REFUSALS.get(apiId ?? "") ?? (apiId === undefined ? OF_THE_CLIENT.get(code ?? "") : undefined);
    if (why !== undefined) return { outcome: "refused", why, reason: message };
  }
  // What holds others only says that there are some.
  return { outcome: "retry", reason: all.at(-1)?.message ?? String(error) };
}

/**
 * From the error of a request over several partitions: what became of those of one of them; undefined: written. Brokers
 * answer for each of their partitions; for what none answered, the error itself holds.
 */
export function outcomeByPartition(
  error: unknown,
  kafka: KafkaLibrary,
): (partition: number) => Failure | undefined {
  const answered = new Map<number, Failure | undefined>();
  for (const { response, produced } of errorsIn(error)) {
    for (const { partition } of produced?.offsets ?? []) answered.set(partition, undefined);
    for (const { index, errorCode } of response?.responses?.flatMap((topic) => topic.partitionResponses) ??
      [])
      answered.set(index, errorCode === 0 ? undefined : failureOf(new kafka.ProtocolError(errorCode)));
  }
  const otherwise = failureOf(error);
  return (partition) => (answered.has(partition) ? answered.get(partition) : otherwise);
}

interface KafkaError extends Error {
  readonly code?: string;
  readonly apiId?: string;
  /** Of a ResponseError: what the broker answered. */
  readonly response?: {
    readonly responses?: readonly { readonly partitionResponses: readonly PartitionAnswer[] }[];
  };
  /** What other brokers have written. */
  readonly produced?: { readonly offsets?: readonly { readonly partition: number }[] };
}

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: number;
}

/** An error, what it holds, and what caused it. */
function* errorsIn(error: unknown): Generator<KafkaError> {
  if (!(error instanceof Error)) return;
  yield error;
  if (error instanceof AggregateError) for (const inner of error.errors) yield* errorsIn(inner);
  yield* errorsIn(error.cause);
}
