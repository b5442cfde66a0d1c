import { ChangefeedError } from "../../schemas/errors.ts";

export class GoingAway extends ChangefeedError {
  readonly code = "GOING_AWAY";
  constructor() {
    super("The server is stopping", { hint: "Connect again with your last cursor" });
  }
}

export class Restarting extends ChangefeedError {
  readonly code = "RESTARTING";
  constructor() {
    super("The server is restarting", { hint: "Connect again with your last cursor" });
  }
}

export class TooSlow extends ChangefeedError {
  readonly code = "TOO_SLOW";
  constructor(stallTimeoutMs: number) {
    super(`Nothing was read from this connection for ${stallTimeoutMs / 1000} s`, {
      hint: "Connect again with your last cursor; narrow the filter if events come faster than you can take them",
    });
  }
}

export class CannotKeepUp extends ChangefeedError {
  readonly code = "CANNOT_KEEP_UP";
  constructor(behindBy: number) {
    super(`The filters take so long that the stream falls ever further behind: by ${behindBy} events now`, {
      hint: "Simplify the filter: ask by types, namespaces or signals first, avoid loops within loops and patterns with many repetitions",
    });
  }
}

export class TooCostly extends ChangefeedError {
  readonly code = "TOO_COSTLY";
  constructor(maxWorkMs: number) {
    super(`The answer would cost more than the ${maxWorkMs / 1000} s of work that one request may have`, {
      hint: "Ask for less: name types, namespaces or subjects, or use a simpler filter; --max-read-time allows more",
    });
  }
}

export class InvalidMessage extends ChangefeedError {
  readonly code = "INVALID_MESSAGE";
  constructor() {
    super('A client may send only {"ping": <whole number>} and, with consumer, {"ack": "<cursor>"}', {
      hint: "Send that, or nothing",
    });
  }
}

export class InvalidAck extends ChangefeedError {
  readonly code = "INVALID_ACK";
}
