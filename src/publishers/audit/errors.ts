import { ChangefeedError } from "../../schemas/errors.ts";

/** The trail cannot be written until somebody acts. */
export abstract class TrailUnusable extends ChangefeedError {}

/** What is stored is not what the last signed checkpoint says. */
export class TrailDamaged extends TrailUnusable {
  readonly code = "AUDIT_TRAIL_DAMAGED";
  constructor(place: string, what: string, cause?: unknown) {
    super(`The audit trail in ${place} is not what its last signed checkpoint says: ${what}`, {
      hint: "Nothing was written. Run nomad-changefeed audit verify on it, and restore it from a copy; or keep it aside as evidence and begin a new trail, with another key, in an empty directory or prefix",
      cause,
    });
  }
}

/** Nothing makes it: where a disk is not mounted, a second trail would begin. */
export class TrailNotThere extends TrailUnusable {
  readonly code = "AUDIT_TRAIL_NOT_THERE";
  constructor(directory: string, cause: unknown) {
    super(`The directory ${directory} of the audit trail is not there`, {
      hint: "Make it, empty, for a new trail, as mkdir does. Where it had a trail, see whether its disk is mounted",
      cause,
    });
  }
}

/** Another process, or another destination of this one, writes it. */
export class TrailInUse extends TrailUnusable {
  readonly code = "AUDIT_TRAIL_IN_USE";
  constructor(place: string) {
    super(`The audit trail in ${place} is being written by another process or destination`, {
      hint: "Stop that one, or give each destination a directory or a prefix of its own. After a failover it ends by itself",
    });
  }
}

/** It was written with other keys, or of another feed. */
export class TrailOfAnother extends TrailUnusable {
  readonly code = "AUDIT_TRAIL_OF_ANOTHER";
}

/** Events between the end of the trail and what it is given are not there, and nobody said that they are gone. */
export class TrailBehind extends TrailUnusable {
  readonly code = "AUDIT_TRAIL_BEHIND";
  constructor(end: string, given: string, name: string) {
    super(
      `The audit trail ends with ${end}, and the next event is ${given}: those between were never entered`,
      {
        hint: `Somebody set the position, or the trail is an older copy. Run nomad-changefeed deliveries replay ${name} --cursor ${end}: what the log still holds is entered then, and what it lost becomes a gap`,
      },
    );
  }
}

/** An event that cannot be an entry, also without its data. */
export class EntryTooLarge extends TrailUnusable {
  readonly code = "AUDIT_ENTRY_TOO_LARGE";
  constructor(id: string, bytes: number) {
    super(`The event ${id.slice(0, 200)} has ${bytes} bytes without its data; an entry holds 65,535`, {
      hint: "Nothing in Nomad has names that long: look at what the feed reads",
    });
  }
}
