import type { DestinationSettings } from "../schemas/destinations/index.ts";
import type { Destination } from "./delivery/destination.ts";
import type { DestinationDeps } from "./destination-deps.ts";

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
    case "audit":
      return (await import("./audit/audit.ts")).openAudit(settings, deps);
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
