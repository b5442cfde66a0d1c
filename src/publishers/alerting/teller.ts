import type { DocumentStore } from "../../feed/log.ts";
import type { AlertList, DestinationState } from "../../schemas/alert-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import { listText } from "../../shared/list-text.ts";
import { inTimeSlices } from "../../shared/time-slices.ts";
import { FIRING_DOCUMENT, isSameView, parseFiring, type View } from "./firing.ts";
import type { AlertGauges } from "./gauges.ts";
import { PartedText } from "./parted-text.ts";

/** What fires is told when it changed, at most so often, and now and then so that all see that somebody looks. */
const AT_MOST_EVERY_MS = 200;
const AT_LEAST_EVERY_MS = 10_000;

export interface TellerDeps {
  readonly clock: Clock;
  readonly gauges: Pick<AlertGauges, "show">;
  /** Told of what fires whenever that may have changed. */
  readonly tell: (view: View) => void;
  /** How those are told. */
  readonly destinations: () => DestinationState[];
}

/** Tells what fires: those who send it on, metrics, and by a document of the log whoever asks. */
export class Teller {
  readonly #deps: TellerDeps;
  readonly #document: PartedText;
  #isDirty = true;
  #told: View | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs: number | null = null;

  private constructor(document: PartedText, deps: TellerDeps) {
    this.#document = document;
    this.#deps = deps;
  }

  /** Whoever told before does so no more. */
  static async claim(owner: string, documents: DocumentStore, deps: TellerDeps): Promise<Teller> {
    return new Teller(await PartedText.claim(FIRING_DOCUMENT, owner, documents), deps);
  }

  /** When somebody looked last before this one, ms since 1970; null: nobody did. */
  get formerlyLookedAtMs(): number | null {
    const { text } = this.#document;
    const asOf = text === undefined ? null : (parseFiring(text)?.asOf ?? null);
    return asOf === null ? null : Date.parse(asOf);
  }

  /** When it looked last, ms since 1970. */
  get lookedAtMs(): number | null {
    return this.#lookedAtMs;
  }

  /** How long it must not tell anything yet, ms. */
  get restMs(): number {
    return Math.max(0, this.#toldAtMs + AT_MOST_EVERY_MS - this.#deps.clock.elapsed());
  }

  /** What fires may be something else. */
  changed(): void {
    this.#isDirty = true;
  }

  /**
   * `lookedAtMs`: up to when what is told is true, ms since 1970.
   *
   * @throws Fenced where another tells since
   */
  async tell(viewNow: () => View, lookedAtMs: number): Promise<void> {
    const isDue = this.#deps.clock.elapsed() - this.#toldAtMs >= AT_LEAST_EVERY_MS;
    if (!this.#isDirty && !isDue) return;
    this.#isDirty = false;
    const view = viewNow();
    if (this.#told !== undefined && isSameView(view, this.#told) && !isDue) return;
    this.#lookedAtMs = lookedAtMs;
    this.#deps.tell(view);
    this.#deps.gauges.show(view, lookedAtMs);
    await this.#write(view, lookedAtMs);
    this.#told = view;
    this.#toldAtMs = this.#deps.clock.elapsed();
  }

  async #write({ open, ended }: View, lookedAtMs: number): Promise<void> {
    const rest = { asOf: new Date(lookedAtMs).toISOString(), destinations: this.#deps.destinations() };
    const text = textOf({ ...rest, alerts: [...open], ended: [...ended] });
    try {
      await this.#document.save(await inTimeSlices(text, this.#deps.clock));
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }
}

/** A few alerts at a time. */
function* textOf({ alerts, ended, ...rest }: AlertList): Generator<void, string> {
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"alerts":${yield* listText(alerts)},"ended":${yield* listText(ended)}}`;
}
