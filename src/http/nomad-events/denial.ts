/** How a version of Nomad denies its event stream. */
export interface DenialForm {
  /** Whether the head is sent before the token is looked at, so that a denial is 200 and the end. */
  readonly answersFirst: boolean;
  /** Of a denial; undefined: as Nomad answered. */
  readonly status: number | undefined;
}

const DENIED = Buffer.from("Permission denied");

/** `version`: such as "1.10.4". Undefined: as the Nomad that is asked. */
export function denialFormOf(version: string | undefined): DenialForm {
  if (version === undefined) return { answersFirst: true, status: undefined };
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const isFrom = (...[a, b, c]: [number, number, number]) =>
    major !== a ? major > a : minor !== b ? minor > b : patch >= c;
  if (isFrom(1, 11, 2)) return { answersFirst: true, status: 200 };
  return { answersFirst: false, status: isFrom(1, 5, 0) ? 403 : 500 };
}

export function denialOf(
  answer: { readonly status: number; readonly body: Buffer },
  { status }: DenialForm,
): { status: number; body: Buffer } {
  if (status === undefined || status === answer.status) return answer;
  return { status, body: status === 200 ? Buffer.alloc(0) : DENIED };
}
