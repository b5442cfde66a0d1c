import { alertListSchema } from "../../src/schemas/alert-schema.ts";
import { until } from "./until.ts";

/** Waits for the last that a bridge does of its start: it reads the objects that there are for its alerts too. */
export async function untilStarted(url: string): Promise<void> {
  await until("alerts are told of", async () => {
    const response = await fetch(`${url}/v1/alerts`);
    return response.ok && alertListSchema.parse(await response.json()).asOf !== null;
  });
}
