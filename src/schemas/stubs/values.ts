import { z } from "zod";

/** What stubs of all kinds are made of. */
export const index = z.number().describe("Raft index");
export const nanos = z
  .number()
  .describe("Nanoseconds since 1970; exceeds 2^53, so plain JSON parsers round it");
export const text = z.string();
export const strings = z.array(text).nullable();
export const time = z.string().nullable().describe("RFC 3339; null where there is none yet");
export const count = z.number();
export const flag = z.boolean();

export const indexes = { CreateIndex: index, ModifyIndex: index };
export const times = { CreateTime: nanos.optional(), ModifyTime: nanos.optional() };
export const hash = text.nullable().optional().describe("Of the whole object, in base64");
