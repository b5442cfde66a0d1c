import { ChangefeedError } from "../schemas/errors.ts";

/** The configuration cannot be used; `problems` has one sentence each, naming the option and its source. */
export class ConfigInvalid extends ChangefeedError {
  readonly code = "CONFIG_INVALID";
  readonly retryable = false;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"), {
      hint: "nomad-changefeed config shows every option and where its value came from",
    });
    this.problems = problems;
  }
}
