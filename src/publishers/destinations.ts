import type { FileSettings } from "../schemas/destinations/file.ts";
import type { KafkaSettings } from "../schemas/destinations/kafka.ts";
import type { NatsSettings } from "../schemas/destinations/nats.ts";
import type { OtlpSettings } from "../schemas/destinations/otlp.ts";
import type { RedisSettings } from "../schemas/destinations/redis.ts";
import type { StdoutSettings } from "../schemas/destinations/stdout.ts";
import type { WebhookSettings } from "../schemas/destinations/webhook.ts";
import type { Destination } from "./delivery/destination.ts";
import type { DestinationDeps } from "./destination-deps.ts";

type DestinationSettings =
  | FileSettings
  | KafkaSettings
  | NatsSettings
  | OtlpSettings
  | RedisSettings
  | StdoutSettings
  | WebhookSettings;

/**
 * Opens a destination. Its code, and the libraries that it needs, are loaded only where it is configured. Its
 * counterpart need not be there: the first `send` says so.
 * @throws what is wrong with its settings
 */
export async function openDestination(
  settings: DestinationSettings,
  deps: DestinationDeps,
): Promise<Destination> {
  switch (settings.type) {
    case "file":
      return (await import("./file/file.ts")).openFile(settings, deps);
    case "kafka":
      return (await import("./kafka/kafka.ts")).openKafka(settings, deps);
    case "nats":
      return (await import("./nats/nats.ts")).openNats(settings, deps);
    case "otlp":
      return (await import("./otlp/otlp.ts")).openOtlp(settings, deps);
    case "redis":
      return (await import("./redis/redis.ts")).openRedis(settings, deps);
    case "stdout":
      return (await import("./stdout/stdout.ts")).openStdout(settings, deps);
    case "webhook":
      return (await import("./webhook/webhook.ts")).openWebhook(settings, deps);
    default:
      return settings satisfies never;
  }
}
