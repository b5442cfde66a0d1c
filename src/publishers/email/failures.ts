import type { SendResult } from "../delivery/destination.ts";

/** What an error of SMTP means. Codes from 500 on are for good, the others pass. */
export function failureOf(error: unknown): SendResult {
  const { code = "", responseCode = 0, message } = error as Partial<SmtpError> & Error;
  const refused = (why: "forbidden" | "config" | "too-large" | "poison"): SendResult => ({
    outcome: "refused",
    why,
    reason: message,
  });
  if (responseCode >= 400 && responseCode < 500) return { outcome: "retry", reason: message };
  if (code === "EAUTH" || responseCode === 530) return refused("forbidden");
  // It offers no TLS, or takes none of our addresses: so for every message.
  if (code === "ETLS" || code === "EENVELOPE") return refused("config");
  if (responseCode === 552) return refused("too-large");
  return responseCode >= 500 ? refused("poison") : { outcome: "retry", reason: message };
}

interface SmtpError {
  readonly code: string;
  readonly responseCode: number;
}
