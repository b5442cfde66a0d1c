import { ChangefeedError } from "../schemas/errors.ts";

export class ConfigInvalid extends ChangefeedError {
  readonly code = "CONFIG_INVALID";
  /** One sentence each, naming the option and its source. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"), {
      hint: "`nomad-changefeed run --help` lists every option, docs/configuration.md says what each takes",
    });
    this.problems = problems;
  }
}
