import { Liquid } from "liquidjs";
import { isReference } from "../../schemas/destinations/fields.ts";
import { parseExact } from "../../schemas/json.ts";

/** The template gives no body for an event. */
export class TemplateFailed extends Error {}

/** The text of a template that is configured: itself, or what a reference stands for. */
export function templateText(
  template: string | undefined,
  readSecret: (reference: string) => string,
): string | undefined {
  return template !== undefined && isReference(template) ? readSecret(template) : template;
}

/** Tags that read other templates: there are none. */
const FILE_TAGS = ["include", "render", "layout", "block"];
/** Characters, elements of lists and of ranges, and ms: one event is a body, and everything else waits meanwhile. */
const LIMITS = { parseLimit: 256 * 1024, memoryLimit: 1_000_000, renderLimit: 250 };

/** JSON that is written as it stands. */
class JsonText {
  readonly text: string;

  constructor(value: unknown) {
    this.text = JSON.stringify(value ?? null);
  }
}

/**
 * A body made of a value, mostly an event, by a Liquid template, which has that and nothing else of this process. Where the body is
 * JSON, what is put in is JSON too: a text goes between quotes and cannot leave them, whoever named a job; an object, a
 * list or a number stands for itself.
 */
export class BodyTemplate {
  readonly #engine: Liquid;
  readonly #template: ReturnType<Liquid["parse"]>;
  readonly #isJson: boolean;
  readonly #variable: string;

  /** `variable`: what the template calls the value. @throws TemplateFailed where it does not parse */
  constructor(text: string, contentType: string, variable = "event") {
    this.#variable = variable;
    this.#isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType);
    this.#engine = new Liquid({
      ...LIMITS,
      templates: {},
      relativeReference: false,
      ownPropertyOnly: true,
      strictFilters: true,
      timezoneOffset: 0,
      outputEscape: this.#isJson ? withinJson : plain,
    });
    for (const tag of FILE_TAGS) delete this.#engine.tags[tag];
    for (const name of ["json", "jsonify"]) this.#engine.registerFilter(name, (value) => new JsonText(value));
    this.#template = attempt(() => this.#engine.parse(text));
  }

  /** @throws TemplateFailed where it cannot be rendered within its limits, or gives no JSON where it has to */
  render(json: string): Buffer {
    return attempt(() => {
      const body = String(this.#engine.renderSync(this.#template, { [this.#variable]: parseExact(json) }));
      if (this.#isJson) JSON.parse(body);
      return Buffer.from(body);
    });
  }
}

function withinJson(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof JsonText) return value.text;
  const text = JSON.stringify(value);
  return typeof value === "string" ? text.slice(1, -1) : text;
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : withinJson(value);
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new TemplateFailed(`the template fails: ${(cause as Error).message}`, { cause });
  }
}
