import type { Failure } from "../partly.ts";

/** `err_code`s of JetStream that are about the message: larger than the stream allows. */
const MESSAGE_TOO_LARGE = 10054;
const FORBIDDEN = new Set([
  "AuthorizationError",
  "UserAuthenticationExpiredError",
  "PermissionViolationError",
]);
/** The client itself does not take our settings. */
const CONFIG = new Set(["InvalidArgumentError", "InvalidSubjectError", "JetStreamNotEnabled"]);

/** What a failed connect or publish comes to. */
export function failureOf(error: unknown, subject: string): Failure {
  const { name, message, cause } = errorOf(error);
  if (FORBIDDEN.has(name)) return { outcome: "refused", why: "forbidden", reason: message };
  if (FORBIDDEN.has(errorOf(cause).name)) return failureOf(cause, subject);
  if (name === "JetStreamNotEnabled") {
    const reason = `no stream takes the subject ${subject}, or JetStream is off (${message})`;
    return { outcome: "refused", why: "config", reason };
  }
  // What the server would not take is not even sent.
  if (message.includes("max_payload")) return { outcome: "refused", why: "too-large", reason: message };
  if (CONFIG.has(name)) return { outcome: "refused", why: "config", reason: message };
  if (isApiError(error)) return failureOfApi(error);
  return { outcome: "retry", reason: message };
}

interface ApiError {
  readonly message: string;
  /** As of HTTP. */
  readonly status: number;
  /** JetStream's own. */
  readonly code: number;
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && "status" in error && "code" in error && typeof error.code === "number";
}

/** A full stream, or one without a leader, answers 503; 400 says that the stream is not made for what we do. */
function failureOfApi({ message, status, code }: ApiError): Failure {
  const reason = `${message} (${code})`;
  if (code === MESSAGE_TOO_LARGE) return { outcome: "refused", why: "too-large", reason };
  if (status >= 500) return { outcome: "retry", reason };
  return { outcome: "refused", why: "config", reason };
}

/** A lost connection may come without an error. */
function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error("no connection");
}
