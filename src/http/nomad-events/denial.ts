import type { IncomingHttpHeaders } from "node:http";

/** How a version of Nomad denies its event stream; undefined where as the Nomad that is asked. */
export interface DenialForm {
  /** Whether the head is sent before the token is looked at, so that a denial is 200 and the end. */
  readonly answersFirst: boolean;
  /** To a token that Nomad does not know, or that is none. */
  readonly ofStrangers?: Form;
  /** To one that may not have the topics, and to nobody's where nobody may. */
  readonly ofOthers?: Form;
}

interface Form {
  readonly status: number;
  readonly contentType: string;
}

/** What is answered to who may not have the stream. */
export interface Denial {
  readonly status: number;
  readonly head: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Version = readonly [major: number, minor: number, patch: number];

/** The first version to do something, and the first of each older line that was given it too. */
const CHECKS_RIGHTS_FIRST: readonly Version[] = [
  [1, 9, 6],
  [1, 8, 10],
  [1, 7, 18],
];
const SAYS_PLAIN_TEXT: readonly Version[] = [
  [1, 9, 4],
  [1, 8, 8],
  [1, 7, 16],
];
const ANSWERS_FIRST: readonly Version[] = [[1, 11, 2]];
const KNOWS_STRANGERS: readonly Version[] = [[1, 5, 0]];

/** `version`: such as "1.10.4". Undefined: as the Nomad that is asked. */
export function denialFormOf(version: string | undefined): DenialForm {
  if (version === undefined) return { answersFirst: true };
  const does = (since: readonly Version[]) => isSince(version, since);
  if (does(ANSWERS_FIRST)) {
    const silent = { status: 200, contentType: "application/json" };
    return { answersFirst: true, ofStrangers: silent, ofOthers: silent };
  }
  const contentType = does(SAYS_PLAIN_TEXT) ? "text/plain; charset=utf-8" : "application/json";
  return {
    answersFirst: false,
    ofStrangers: { status: does(KNOWS_STRANGERS) ? 403 : 500, contentType },
    ofOthers: { status: does(CHECKS_RIGHTS_FIRST) ? 403 : 500, contentType },
  };
}

/** `isStranger`: whether the token is one that Nomad does not know. */
export async function denialOf(
  answer: Denial,
  { ofStrangers, ofOthers }: DenialForm,
  isStranger: () => Promise<boolean>,
): Promise<Denial> {
  if (ofStrangers === undefined || ofOthers === undefined) return answer;
  const isSame = ofStrangers.status === ofOthers.status;
  const { status, contentType } = !isSame && (await isStranger()) ? ofStrangers : ofOthers;
  return {
    status,
    head: { "cache-control": "no-cache", "content-type": contentType, vary: "Accept-Encoding" },
    body: status === 200 ? Buffer.alloc(0) : Buffer.from("Permission denied"),
  };
}

function isSince(version: string, [first, ...older]: readonly Version[]): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const given: Version = [major, minor, patch];
  return (
    (first !== undefined && compare(given, first) >= 0) ||
    older.some((line) => major === line[0] && minor === line[1] && compare(given, line) >= 0)
  );
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
