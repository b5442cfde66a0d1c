import { randomUUID } from "node:crypto";
import { DocumentTooLarge } from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import { matching } from "../../routing/matching.ts";
import { ChangefeedError } from "../../schemas/errors.ts";
import { silencesSchema, type Matchers, type Silence } from "../../schemas/routes.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { changeDocument } from "../delivery/change-document.ts";

const SILENCES_DOCUMENT = "alerts/silences";
/** Of usual length these fit into one document. */
const MAX_SILENCES = 200;

class NoSilence extends ChangefeedError {
  readonly code = "NO_SILENCE";
  constructor(id: string) {
    super(`There is no silence ${JSON.stringify(id.slice(0, 100))}, or it has ended`, {
      hint: "GET /v1/silences lists them",
    });
  }
}

class TooManySilences extends ChangefeedError {
  readonly code = "TOO_MANY_SILENCES";
  constructor() {
    super(`There are as many silences as there may be: ${MAX_SILENCES}, or fewer long ones`, {
      hint: "End one that nobody needs, or say with one filter what several say",
    });
  }
}

export interface NewSilence {
  readonly matchers: Matchers;
  readonly forMs: number;
  readonly comment: string;
  readonly createdBy: string;
}

export interface SilencesDeps {
  readonly log: Pick<FeedLog, "documents">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** The silences of a feed, in its log: the same whichever worker is asked. */
export class Silences {
  readonly #deps: SilencesDeps;
  #read: { readonly text: string; readonly silences: readonly Silence[] } = { text: "", silences: [] };

  constructor(deps: SilencesDeps) {
    this.#deps = deps;
  }

  /** Those in force, oldest first. While none was changed they are the same objects. */
  async list(): Promise<Silence[]> {
    const document = await this.#deps.log.documents.get(SILENCES_DOCUMENT);
    return this.#inForce(document?.text ?? null);
  }

  /** @throws InvalidFilter, TooManySilences */
  async add({ matchers, forMs, comment, createdBy }: NewSilence): Promise<Silence> {
    matching(matchers);
    const nowMs = this.#deps.clock.now();
    const silence: Silence = {
      id: randomUUID().slice(0, 8),
      matchers,
      startsAt: new Date(nowMs).toISOString(),
      endsAt: new Date(nowMs + forMs).toISOString(),
      comment,
      createdBy,
    };
    await this.#change((silences) => {
      if (silences.length >= MAX_SILENCES) throw new TooManySilences();
      return [...silences, silence];
    });
    this.#deps.logger.info({ by: createdBy, silence }, `silence ${silence.id} began`);
    return silence;
  }

  /** Answers it as it was. `by`: who ends it, for the log. @throws NoSilence */
  async end(id: string, by: string): Promise<Silence> {
    let ended: Silence | undefined;
    await this.#change((silences) => {
      ended = silences.find((silence) => silence.id === id);
      if (ended === undefined) throw new NoSilence(id);
      return silences.filter((silence) => silence !== ended);
    });
    if (ended === undefined) throw new NoSilence(id);
    this.#deps.logger.info({ by, silence: ended }, `silence ${id} was ended`);
    return ended;
  }

  #inForce(text: string | null): Silence[] {
    if (text !== null && text !== this.#read.text)
      this.#read = { text, silences: silencesSchema.parse(JSON.parse(text)).silences };
    const nowMs = this.#deps.clock.now();
    return text === null ? [] : this.#read.silences.filter(({ endsAt }) => Date.parse(endsAt) > nowMs);
  }

  async #change(change: (silences: Silence[]) => Silence[]): Promise<void> {
    try {
      await changeDocument(SILENCES_DOCUMENT, "people", this.#deps.log.documents, (text) =>
        JSON.stringify({ silences: change(this.#inForce(text)) }),
      );
    } catch (error) {
      if (error instanceof DocumentTooLarge) throw new TooManySilences();
      throw error;
    }
  }
}
