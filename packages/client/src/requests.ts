import { hideSecrets } from "./address-text.ts";
import { send, tokenOf, type Access, type Method } from "./http.ts";
import { addParameter, type ParameterValue } from "./options.ts";
import { RequestFailed, type Problem } from "./request-failed.ts";
import { retryAfterIn } from "./retry-after.ts";

export interface Request {
  readonly method?: Method;
  readonly accept?: string;
  /** By the names of the route's parameters. */
  readonly query?: object;
}

/**
 * The answer to one request, if it is what was asked for.
 * @throws RequestFailed; the reason of `signal`; what `token` throws.
 */
export async function answerTo(
  access: Access,
  path: string,
  { query = {}, ...how }: Request = {},
): Promise<Response> {
  const known = { ...access, token: await tokenOf(access) };
  const response = await orUnreachable(access, () => send(known, `${path}${searchOf(query)}`, how));
  if (response.ok) return response;
  throw failureOf(access, response, await orUnreachable(access, () => response.text()));
}

/** What `parse` makes of the answer's text. @throws RequestFailed where it throws. */
export async function parsedBy<Parsed>(
  access: Access,
  response: Response,
  parse: (text: string) => Parsed,
): Promise<Parsed> {
  const text = await orUnreachable(access, () => response.text());
  try {
    return parse(text);
  } catch {
    throw failureOf(access, response, text);
  }
}

/** The answer to one request, read whole as JSON. */
export async function jsonOf<Answer>(access: Access, path: string, request?: Request): Promise<Answer> {
  const accept = "application/json";
  return parsedBy(
    access,
    await answerTo(access, path, { accept, ...request }),
    (text) => JSON.parse(text) as Answer,
  );
}

/** @throws RequestFailed where `work` breaks off; the reason of `signal`. */
export async function orUnreachable<Result>(
  { url, signal }: Access,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    signal?.throwIfAborted();
    throw new RequestFailed(
      {
        code: "FEED_UNREACHABLE",
        message: `${hideSecrets(String(url))} cannot be reached: ${whyOf(error)}`,
        hint: "Is this the address of a nomad-changefeed, and does it run?",
      },
      { status: 0, cause: error },
    );
  }
}

/** `?` and the parameters; "" where there are none. */
function searchOf(query: object): string {
  const parameters = new URLSearchParams();
  const entries = Object.entries(query) as [string, ParameterValue | undefined][];
  for (const [name, value] of entries) addParameter(parameters, name, value);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** Node says no more than "fetch failed"; what caused it says more. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}

/** What went wrong, in the server's words where they are a feed's. */
export function failureOf({ url }: Access, response: Response, text = ""): RequestFailed {
  const { status } = response;
  const problem = problemIn(text);
  const { code = "NOT_A_FEED", message, hint } = problem;
  return new RequestFailed(
    {
      ...problem,
      code,
      message: message ?? `${hideSecrets(String(url))} answered ${status}`,
      hint: message === undefined ? "Is this the address of a nomad-changefeed?" : hint,
    },
    { status, retryAfterMs: retryAfterIn(response) },
  );
}

function problemIn(text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    const isProblem = typeof body === "object" && body !== null && "code" in body;
    return isProblem && typeof body.code === "string" ? (body as Problem) : {};
  } catch {
    return {};
  }
}
