import { ChangefeedError } from "../schemas/errors.ts";
import type { Resource } from "../schemas/resources.ts";

export class MalformedList extends ChangefeedError {
  readonly code = "MALFORMED_LIST";

  constructor(resource: Resource, problem: string, options: { cause?: unknown } = {}) {
    super(`The list of ${resource.type} (${resource.path}) is malformed: ${problem}`, {
      hint: "Nothing of it was used. If it happens again, look for a proxy that cuts or rewrites Nomad's answers",
      ...options,
    });
  }
}
