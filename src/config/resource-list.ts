import { z } from "zod";
import { didYouMean } from "../schemas/nearest.ts";
import {
  RESOURCE_GROUPS,
  RESOURCE_TYPES,
  type ResourceGroup,
  type ResourceType,
} from "../schemas/resources.ts";
import { list, type ValueType } from "../schemas/value-types.ts";

const GROUPS = Object.keys(RESOURCE_GROUPS) as ResourceGroup[];
const NAMES: readonly (ResourceType | ResourceGroup | "all")[] = ["all", ...GROUPS, ...RESOURCE_TYPES];

/** Kinds of objects, each by its own name or many by that of a group: `core,volumes,services`, `all`. */
export function resourceList(): ValueType<readonly ResourceType[]> {
  const names = list("<types>", { schema: z.enum(NAMES), allowed: NAMES.join(", ") });
  return {
    ...names,
    schema: names.schema.transform((given) => {
      const wanted = new Set(given.flatMap(typesOf));
      return RESOURCE_TYPES.filter((type) => wanted.has(type));
    }),
    print: (types) => types.join(","),
    nearest: (given) => {
      const unknown = given.split(",").map((name) => name.trim());
      const wrong = unknown.find((name) => !NAMES.some((known) => known === name));
      return wrong === undefined ? "" : didYouMean(wrong, NAMES);
    },
  };
}

function typesOf(name: (typeof NAMES)[number]): readonly ResourceType[] {
  if (name === "all") return RESOURCE_TYPES;
  const group = GROUPS.find((one) => one === name);
  return group === undefined
    ? [name as ResourceType]
    : (Object.keys(RESOURCE_GROUPS[group]) as ResourceType[]);
}
