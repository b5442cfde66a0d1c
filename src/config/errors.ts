import { ChangefeedError } from "../schemas/errors.ts";

/** The configuration cannot be used; `problems` has one sentence each, naming the option and its source. */
export class ConfigInvalid extends ChangefeedError {
  readonly code = "CONFIG_INVALID";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"), {
      hint: "`nomad-changefeed run --help` lists every option, docs/configuration.md says what each takes",
    });
    this.problems = problems;
  }
}
