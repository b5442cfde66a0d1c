import { z } from "zod";
import { notesAt } from "../../src/config/section.ts";
import { FEED_NAME_ALLOWED, OWN_OPTIONS, PROCESS_OPTIONS } from "../../src/config/feed-options.ts";
import { redactionRuleSchema } from "../../src/schemas/redaction-schema.ts";
import { routeSchema } from "../../src/schemas/routes.ts";
import { TOLD_SCHEMAS } from "../../src/schemas/destinations/told.ts";
import { DESTINATION_SCHEMAS } from "../../src/schemas/destinations/index.ts";
import {
  OPTION_GROUPS,
  OPTION_NAMES,
  optionEnv,
  optionFlag,
  optionKey,
  OPTIONS,
  type OptionDefinition,
  type OptionName,
} from "../../src/config/options.ts";

/** docs/configuration.md, from the definitions of the options. */
export function configDocs(): string {
  const groups = OPTION_GROUPS.map((group) => {
    const names = OPTION_NAMES.filter((name) => OPTIONS[name].group === group);
    return `## ${group}\n\n${names.map(entryOf).join("\n")}`;
  });
  return `${INTRODUCTION}\n${groups.join("\n")}\n${DESTINATIONS}\n${destinationDocs()}\n${REDACTION}\n${fieldsOf(redactionRuleSchema).map(item).join("\n")}\n\n${ALERTS}\n${ROUTES}\n${fieldsOf(routeSchema).map(item).join("\n")}\n\n${FEEDS}`;
}

const INTRODUCTION = `# Configuration

Every option is a flag, an environment variable and a key of the YAML file that \`--config\` names. A flag goes
before the environment, the environment before the file, the file before the default. A variable set to nothing
is not set. An unknown flag or key is refused, an unknown \`NCF_\` variable is warned of.

\`nomad-changefeed config\` prints every value and where it came from; \`config --schema\` prints the JSON Schema
of the file, which the package has as a [file](concepts.md#schemas). Lists take a comma between their items; in the file a YAML list will do.

This page is made from the definitions: \`npx vitest run --project unit test/unit/config.test.ts -u\`.
`;

function entryOf(name: OptionName): string {
  const definition: OptionDefinition = OPTIONS[name];
  const usual = definition.default === undefined ? "none" : `\`${definition.default}\``;
  const key = definition.notInFile === true ? "" : `, key \`${optionKey(name)}\``;
  return `### ${optionFlag(name)}

${sentence(definition.help)}

Variable \`${optionEnv(name)}\`${key}. Default: ${usual}. Allowed: ${definition.type.allowed.replaceAll("*", "`*`")}.
`;
}

function sentence(help: string): string {
  const text = help.replaceAll("*", "`*`").replaceAll("<cluster>/<region>", "`<cluster>/<region>`");
  return `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;
}

const DESTINATIONS = `## Destinations

\`destinations:\` of the file says where events are delivered to: names of 1 to 63 of \`a-z 0-9 -\`, and below each its
\`type\` and what that takes. What a destination wants is said with the parameters of a subscription. What is wrong is
told with file, line and path, all of it together, and stops the start.

\`\`\`yaml
destinations:
  ops-webhook:
    type: webhook
    url: env:OPS_WEBHOOK_URL # or an address, or file:PATH
    secrets: [file:/run/secrets/ops-webhook]
    types: [allocations, feed]
    minSeverity: WARN
  everything:
    type: file
    path: /var/lib/nomad-changefeed/events.jsonl
\`\`\`

A secret does not stand in the file. \`env:NAME\` stands for what a variable holds, \`file:PATH\` for what a file holds,
without blanks around it. Both are read at the start and at each reload; \`nomad-changefeed config\` shows the
reference. A header whose name tells of a secret takes a reference only, and an address with a password in it does.
`;

const REDACTION = `## Redaction

\`redaction:\` of the file is a list of rules: what they name does not leave the feed ([redaction.md](redaction.md)). A
rule has \`paths\`, \`patterns\` or both, and may be for some resources and namespaces only.

\`\`\`yaml
redaction:
  - paths: [/Meta/*, /**/Password]
  - patterns: ['(?i)token=\\S+']
    resources: [allocations]
    namespaces: [payments]
\`\`\`
`;

const ALERTS = `## Alerts

\`alerts:\` of the file changes the rules of [alerts.md](alerts.md), switches them off, and adds others in the same words;
[alerting.md](alerting.md) says how alerts are made and where they go. \`alerts: off\` makes none.

\`\`\`yaml
alerts:
  rules:
    JobFailing: { for: 3m }
    NodeDrainSlow: off
    PaymentsFailing: { like: JobFailing, where: { namespace: [prod] }, severity: FATAL }
\`\`\`
`;

const ROUTES = `## Routes

\`routes:\` of the file is a list of routes: who is told of which alerts, and when ([alerting.md](alerting.md#routes)). An
alert takes the first that it matches, and within that the same again. The outermost ones need a \`to\`; what else a route
does not say is as in the one around it. What is wrong is told with file, line and path, and stops the start.

\`\`\`yaml
routes:
  - to: ops-slack
    routes:
      - { minSeverity: ERROR, where: { namespace: prod }, to: [ops-slack, ops-pager] }
      - { filter: "resource.namespace == sandbox", to: none }
\`\`\`
`;

const FEEDS = `## Feeds

\`feeds:\` of the file is a list: one process then serves several clusters or regions ([feeds.md](feeds.md)). Each has a
\`name\` (${FEED_NAME_ALLOWED}) and any key of a feed, sections too.

\`\`\`yaml
listen: 127.0.0.1:4650
retention-age: 14d
feeds:
  - name: prod-eu
    nomad-addr: https://nomad.eu.example:4646
    nomad-token-file: /run/secrets/nomad-eu
  - name: prod-us
    nomad-addr: https://nomad.us.example:4646
    nomad-token-file: /run/secrets/nomad-us
    retention-age: 30d
\`\`\`

What a feed does not say is as at the top of the file, a section as a whole; \`cluster\` is its name, and \`feed\` is
\`sqlite:./nomad-changefeed-<name>.db\`, where neither says otherwise. Two feeds share no log, no file and no port.

At the top alone, since the process has it once: ${PROCESS_OPTIONS.filter((name) => name !== "config")
  .map((name) => `\`${optionKey(name)}\``)
  .join(", ")}.

In the file alone, since each feed has its own: the options of Nomad, ${OWN_OPTIONS.filter(
  (name) => OPTIONS[name].group !== "Nomad",
)
  .map((name) => `\`${optionKey(name)}\``)
  .join(
    ", ",
  )}. Their flags are refused; their variables, such as \`NOMAD_ADDR\` and \`NOMAD_TOKEN\`, are not used, and warned of: a token
meant for one cluster is not sent to another. Every other flag and variable goes before what the file says, for all feeds.
`;

interface FieldDoc {
  readonly path: readonly string[];
  readonly description: string;
  readonly usual: string;
  readonly required: boolean;
  readonly allowed: string | undefined;
}

/** The fields that all types but one at most have, with what each usually has; then those of one type alone. */
function destinationDocs(): string {
  const types = [...DESTINATION_SCHEMAS].map(([type, schema]) => ({ type, fields: fieldsOf(schema) }));
  const key = ({ path }: FieldDoc) => path.join(".");
  const without = (field: FieldDoc) =>
    types.filter(({ fields }) => fields.every((other) => key(other) !== key(field)));
  const everywhere = (field: FieldDoc) => without(field).length <= 1;
  const [first] = types;
  const common = (first?.fields ?? []).filter((field) => everywhere(field) && key(field) !== "type");
  const commonItems = common.map((field) => {
    const lacking = without(field);
    const usual = Map.groupBy(
      types.filter((type) => !lacking.includes(type)),
      ({ fields }) => fields.find((other) => key(other) === key(field))?.usual ?? "",
    );
    const texts = [...usual].toSorted((a, b) => b[1].length - a[1].length);
    const usuals = texts.map(([text, of], position) =>
      position === 0 ? text : `${of.map(({ type }) => type).join(", ")}: ${text}`,
    );
    const allowed = [field.allowed, ...lacking.map(({ type }) => `not with ${type}`)].join("; ");
    return item({ ...field, usual: usuals.join("; "), allowed });
  });
  const own = types.map(({ type, fields }) => {
    const about = fields.find((field) => key(field) === "type")?.description;
    const items = fields.filter((field) => !everywhere(field)).map(item);
    return `### type: ${type}\n\n${about}.\n${items.length === 0 ? "" : `\n${items.join("\n")}\n`}`;
  });
  const alerts = [...TOLD_SCHEMAS].map(([type, schema]) => {
    const fields = fieldsOf(schema);
    const about = fields.find((field) => key(field) === "type")?.description;
    const items = fields.filter((field) => key(field) !== "type").map(item);
    return `### type: ${type}\n\n${about}. What it has, it has instead of the above.\n\n${items.join("\n")}\n`;
  });
  return [`### Every destination\n\n${commonItems.join("\n")}\n`, ...own, ...alerts].join("\n");
}

/** `- `batch.bytes`: Most bytes … Default: `1MiB`. Allowed: a size …` */
function item({ path, description, usual, required, allowed = "" }: FieldDoc): string {
  const ends = [
    ...(required ? ["Required"] : []),
    ...(usual === "" ? [] : [`Default: ${usual}`]),
    `Allowed: ${allowed}`,
  ];
  const text = `${sentence(description)} ${ends.join(". ")}.`.replaceAll(/<[^>]*>/g, "`$&`");
  return `- \`${path.join(".")}\`: ${text}`;
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly $defs?: Readonly<Record<string, ObjectSchema>>;
}

/** The fields of a map and of the maps in it, as its JSON Schema tells them. */
export function fieldsOf(schema: z.ZodType): FieldDoc[] {
  const within = (object: ObjectSchema, path: readonly string[]): FieldDoc[] =>
    Object.entries(object.properties ?? {}).flatMap(([name, field]) => {
      const whole = [...path, name];
      const usual = ["object", "undefined"].includes(typeof field.default)
        ? ""
        : `\`${field.default as string | number | boolean}\``;
      const doc = {
        path: whole,
        description: field.description ?? "",
        usual,
        required: object.required?.includes(name) === true,
        allowed: notesAt(schema, whole)?.allowed,
      };
      return field.properties === undefined ? [doc] : within(field, whole);
    });
  const { $defs = {}, ...root } = z.toJSONSchema(schema, { io: "input" }) as ObjectSchema;
  // What holds itself is described by its name.
  return within(root.properties === undefined ? { ...root, ...Object.values($defs)[0] } : root, []);
}
