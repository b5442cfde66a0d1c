import { errorFacts } from "../../schemas/error-codes.ts";
import { ChangefeedError } from "../../schemas/errors.ts";

export class NoJob extends ChangefeedError {
  readonly code = "NO_JOB";
  constructor(namespace: string, job: string) {
    super(`There is no job ${JSON.stringify(job)} in namespace ${JSON.stringify(namespace)}`, {
      hint: "Its namespace belongs to it; what a token may not see is not there for it either",
    });
  }
}

export class AnswerTooLarge extends ChangefeedError {
  readonly code = "ANSWER_TOO_LARGE";
  constructor(maxBytes: number) {
    super(`Nomad's answer is larger than the ${maxBytes / 2 ** 20} MiB that are read of it`, {
      hint: "Ask Nomad itself: nomad job history -p <job>",
    });
  }
}

export class UpstreamUnavailable extends ChangefeedError {
  readonly code = "UPSTREAM_UNAVAILABLE";
  readonly retryAfterSeconds = 5;
  /** @param cause What Nomad's client says; it names addresses, so only what everybody may read of it is shown. */
  constructor(cause: unknown) {
    const code = cause instanceof ChangefeedError ? cause.code : "";
    super(errorFacts(code)?.words?.message ?? "Nomad does not answer as it should", {
      hint: "Try again in a moment",
      cause,
    });
  }
}

export class TooManyQuestions extends ChangefeedError {
  readonly code = "LIMIT";
  readonly retryAfterSeconds = 1;
  constructor() {
    super("Nomad is asked too much at the moment in the name of readers", { hint: "Ask again in a moment" });
  }
}
