import { memberTexts } from "../../schemas/json-members.ts";
import type { Outgoing } from "../delivery/destination.ts";

/** The one attribute whose header has a name of its own. */
const HEADERS: ReadonlyMap<string, string> = new Map([["datacontenttype", "content-type"]]);

/** A record of Kafka, all of it text. */
export interface KafkaRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Map<string, string>;
}

/**
 * An event in the binary mode of CloudEvents' Kafka binding: attributes in headers, the data's own bytes as the value.
 * Its key is what order is kept by.
 */
export function recordOf({ json, subject }: Outgoing): KafkaRecord {
  const { data = "", ...attributes } = Object.fromEntries(memberTexts(json));
  const headers = new Map<string, string>();
  for (const [name, text] of Object.entries(attributes)) {
    // What is null is as if it were not there.
    if (text !== "null") headers.set(HEADERS.get(name) ?? `ce_${name}`, String(JSON.parse(text)));
  }
  return { key: headers.get("ce_partitionkey") ?? subject, value: data, headers };
}
