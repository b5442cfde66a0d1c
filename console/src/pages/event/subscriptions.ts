import type { EventFacts } from "../../feed/event-facts.ts";

/** A choice of events that an event is one of, by the names of PROTOCOL.md section 3. */
export interface Choice {
  readonly words: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** What somebody who looks at this event may want to be told of from now on, closest first. */
export function choicesOf(facts: EventFacts): Choice[] {
  const { subject, resource, namespace, job, node, signals, type } = facts;
  if (resource === "feed") return [{ words: "what the feed says of itself", parameters: { types: "feed" } }];
  const [signal] = signals;
  const inNamespace = namespace === "-" ? {} : { namespaces: namespace };
  return [
    { words: "this object", parameters: { subjects: subject } },
    ...(signal === undefined
      ? [{ words: "this kind of event", parameters: { types: type, ...inNamespace } }]
      : [{ words: `every ${signal}`, parameters: { signals: signal, ...inNamespace } }]),
    ...(job === "" || resource === "nodes"
      ? []
      : [
          {
            words: "this job and all of its parts",
            parameters: { ...inNamespace, filter: `resource.job == ${JSON.stringify(job)}` },
          },
        ]),
    ...(node === ""
      ? []
      : [
          {
            words: "this node and what runs on it",
            parameters: { filter: `resource.node == ${JSON.stringify(node)}` },
          },
        ]),
  ];
}

/** A command for a shell that follows the choice. */
export function curlOf(serverUrl: string, { parameters }: Choice): string {
  const values = Object.entries(parameters).map(
    ([name, value]) => `  --data-urlencode ${quoted(`${name}=${value}`)}`,
  );
  return [
    `curl -NG ${quoted(new URL("v1/events", serverUrl).href)}`,
    "  -H 'Accept: application/x-ndjson'",
    ...values,
  ].join(" \\\n");
}

/** A program for nomad-changefeed-client that follows it. */
export function clientCodeOf(serverUrl: string, { parameters }: Choice): string {
  const options = Object.entries(parameters).map(([name, value]) =>
    name === "filter" ? `  filter: ${literal(value)},` : `  ${name}: [${literal(value)}],`,
  );
  return [
    'import { subscribe } from "nomad-changefeed-client";',
    "",
    "for await (const event of subscribe({",
    `  url: ${literal(serverUrl)},`,
    ...options,
    "})) {",
    "  console.log(event.time, event.type, event.data);",
    "}",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function literal(text: string): string {
  return JSON.stringify(text);
}
