import type { FeedLog } from "../../feed/log.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { consumerOf, DOCUMENTS } from "./position.ts";

const KEPT_MS = 86_400_000;

/** Removes what is left of destinations that nobody has configured or delivered to for a day. */
export async function removeAbandoned(
  isConfigured: (name: string) => boolean,
  {
    log,
    logger,
  }: {
    readonly log: Pick<FeedLog, "documents" | "deadLetters" | "consumers" | "times">;
    readonly logger: Logger;
  },
): Promise<void> {
  const { nowMs } = await log.times();
  for (const { name: document, updatedAt } of await log.documents.list(DOCUMENTS)) {
    const name = document.slice(DOCUMENTS.length);
    if (isConfigured(name) || nowMs - Date.parse(updatedAt) < KEPT_MS) continue;
    const deadLetters = await log.deadLetters.count(consumerOf(name));
    await log.consumers.remove(consumerOf(name));
    await log.documents.remove(document);
    logger.info(
      { destination: name, deadLetters },
      "forgot a destination that was taken out of the configuration a day ago",
    );
  }
}
