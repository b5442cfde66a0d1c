import { z } from "zod";
import type { FeedLog } from "../../feed/log.ts";
import type { Clock } from "../../shared/clock.ts";
import { changeDocument } from "../delivery/change-document.ts";

const STEERING_DOCUMENT = "alerts/steering";

const steeredSchema = z.object({
  paused: z.object({ at: z.string(), reason: z.string().nullable() }).nullable(),
  /** How often people resumed it. */
  resumes: z.int().nonnegative(),
});
const documentSchema = z.record(z.string(), steeredSchema);

/** What people want of a destination of alerts. */
export type Steered = Readonly<z.infer<typeof steeredSchema>>;
/** By name of the destination; of those that are not in it nobody has wanted anything. */
export type SteeredByName = ReadonlyMap<string, Steered>;

export const NOT_STEERED: Steered = { paused: null, resumes: 0 };

interface AlertSteeringDeps {
  readonly log: Pick<FeedLog, "documents">;
  readonly clock: Pick<Clock, "now">;
}

/** Which destinations of alerts people paused, in the log: the same whichever worker is asked. */
export class AlertSteering {
  readonly #deps: AlertSteeringDeps;

  constructor(deps: AlertSteeringDeps) {
    this.#deps = deps;
  }

  async read(): Promise<SteeredByName> {
    const document = await this.#deps.log.documents.get(STEERING_DOCUMENT);
    return parse(document?.text ?? null);
  }

  pause(name: string, reason: string | null): Promise<void> {
    const at = new Date(this.#deps.clock.now()).toISOString();
    return this.#change(name, (steered) => ({ ...steered, paused: steered.paused ?? { at, reason } }));
  }

  resume(name: string): Promise<void> {
    return this.#change(name, ({ resumes }) => ({ paused: null, resumes: resumes + 1 }));
  }

  #change(name: string, change: (steered: Steered) => Steered): Promise<void> {
    return changeDocument(STEERING_DOCUMENT, "people", this.#deps.log.documents, (text) => {
      const all = parse(text);
      const changed = new Map([...all, [name, change(all.get(name) ?? NOT_STEERED)]]);
      return JSON.stringify(Object.fromEntries(changed));
    });
  }
}

function parse(text: string | null): SteeredByName {
  return new Map(text === null ? [] : Object.entries(documentSchema.parse(JSON.parse(text))));
}
