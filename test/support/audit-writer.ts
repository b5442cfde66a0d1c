/**
 * A process that enters events into an audit trail, one a batch and two in every other one, until it is killed:
 * `node audit-writer.ts <directory> <number of the first event> <private key>`. Prints the number of the last event
 * that was entered, or the reason why none was, each on a line.
 */
import { writeSync } from "node:fs";
import { openAudit } from "../../src/publishers/audit/audit.ts";
import { auditSettingsSchema } from "../../src/schemas/destinations/audit.ts";
import { destinationDeps } from "./destination-deps.ts";
import { outgoing } from "./outgoing.ts";

const [, , directory, first = "1", privateKey = ""] = process.argv;
const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
const destination = await openAudit(settings, destinationDeps({ readSecret: () => privateKey }));
for (let number = Number(first); ;) {
  const batch = number % 2 === 0 ? [outgoing(number), outgoing(number + 1)] : [outgoing(number)];
  const result = await destination.send(batch, new AbortController().signal);
  number += result.outcome === "ok" ? batch.length : 0;
  writeSync(1, `${result.outcome === "ok" ? number - 1 : result.reason}\n`);
  if (result.outcome !== "ok") break;
}
