import { formatCursor, type Cursor } from "../schemas/cursor.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";

/** Stop at once: what is in memory is stale. */
export class Fenced extends ChangefeedError {
  readonly code = "FENCED";
  /** `what`: "Scope jobs/default"; `current`: 0 where it is gone. */
  constructor(what: string, fence: number, current: number) {
    super(`${what} was claimed by another worker (our fence ${fence}, current ${current})`);
  }
}

/** Drop memory, claim again, read everything again. */
export class Conflict extends ChangefeedError {
  readonly code = "CONFLICT";
  constructor(scope: Scope, expected: number, actual: number) {
    super(`Scope ${scopeName(scope)} is at commit ${actual}, not ${expected}`);
  }
}

export class CursorExpired extends ChangefeedError {
  readonly code = "CURSOR_EXPIRED";
  readonly floor: Cursor;
  constructor(cursor: Cursor, floor: Cursor) {
    super(
      `Events after cursor ${formatCursor(cursor)} were removed by retention; the earliest cursor is ${formatCursor(floor)}`,
      {
        hint: "Start again from cursor=earliest, and read the current state first if you keep a copy of it",
      },
    );
    this.floor = floor;
  }
}

export class EventsMissing extends ChangefeedError {
  readonly code = "EVENTS_MISSING";
  /** Where the log goes on. */
  readonly behind: Cursor;
  constructor(cursor: Cursor, behind: Cursor) {
    super(
      `Events after cursor ${formatCursor(cursor)} are missing; the log goes on after ${formatCursor(behind)}`,
      { hint: "Another program deleted them; read the current state if you keep a copy of it" },
    );
    this.behind = behind;
  }
}

export class FutureCursor extends ChangefeedError {
  readonly code = "FUTURE_CURSOR";
  readonly head: Cursor;
  constructor(cursor: Cursor, head: Cursor) {
    super(`Cursor ${formatCursor(cursor)} is beyond the newest event, ${formatCursor(head)}`, {
      hint: "The cursor belongs to another feed, or this log was restored from an older copy",
    });
    this.head = head;
  }
}

export class EpochChanged extends ChangefeedError {
  readonly code = "EPOCH_CHANGED";
  readonly head: Cursor;
  constructor(cursor: Cursor, head: Cursor) {
    super(`Cursor ${formatCursor(cursor)} is of another epoch; the feed's epoch is ${head.epoch}`, {
      hint: "Read the current state, then go on from its cursor",
    });
    this.head = head;
  }
}

export class LogFull extends ChangefeedError {
  readonly code = "LOG_FULL";
}

export class DeadLettersFull extends ChangefeedError {
  readonly code = "DEAD_LETTERS_FULL";
  constructor(consumer: string, limit: number) {
    super(`Consumer ${consumer} has ${limit} dead letters, which is the most it may have`, {
      hint: "Look at their reasons, mend the destination, and deliver or remove them; until then the consumer stays where it is",
    });
  }
}

export class DocumentTooLarge extends ChangefeedError {
  readonly code = "DOCUMENT_TOO_LARGE";
  constructor(name: string, bytes: number, limit: number) {
    super(`The document ${name} would have ${bytes} bytes; the log keeps at most ${limit} of one`);
  }
}

export class ConsumerTaken extends ChangefeedError {
  readonly code = "CONSUMER_TAKEN";
  constructor(name: string) {
    super(`The consumer ${JSON.stringify(name)} is not this token's`, {
      hint: "Choose another name, or use the token that made it; a management token acts for all",
    });
  }
}

export class ConsumersFull extends ChangefeedError {
  readonly code = "CONSUMERS_FULL";
  constructor(limit: number, whose: "owner" | "all") {
    super(
      whose === "owner"
        ? `This token has ${limit} consumers already`
        : `There are ${limit} consumers already`,
      {
        hint: `Delete those that nobody uses any more; ${whose === "owner" ? "--max-consumers-per-token" : "--max-consumers"} allows more`,
      },
    );
  }
}

export class LogUnavailable extends ChangefeedError {
  readonly code = "LOG_UNAVAILABLE";
}

export class LogInUse extends ChangefeedError {
  readonly code = "LOG_IN_USE";
}

export class LogUnusable extends ChangefeedError {
  readonly code = "LOG_UNUSABLE";
}
