/** Blocks and maps whose values never leave, whatever they are. Compared in lower case. */
const SECRET_BLOCKS = new Set([
  "env",
  "environment",
  "meta",
  "canarymeta",
  "embeddedtmpl",
  "getteroptions",
  "getterheaders",
  "header",
  "headers",
  "body",
  "payload",
]);

/** Lists without an order: what follows a flag such as --password cannot be told from the rest. */
const UNORDERED_ARGUMENTS = new Set(["changescript", "action", "check"]);

const SECRET_WORD =
  /pass(wd|word|phrase)?|secret|token|credential|api[-_]?key|private[-_]?key|access[-_]?key/i;
const SECRET_NAME = new RegExp(`${SECRET_WORD.source}|^(auth|key|cert|dsn)$`, "i");

/** Nobody looks through a longer value, and so it may be a secret. */
const MAX_LOOKED_AT = 16_384;

/** What a text looks like that lets somebody in. Whoever writes a job writes it: none may look at a place again and again. */
const SECRET_TEXTS: readonly RegExp[] = [
  // Credentials in an address, and what stands behind its question mark.
  /:\/\/[^/\s@]+@/,
  /(?<!\S)(?:(?!:\/\/)\S)*:\/\/\S[^\s?]*\?\S/,
  /-----BEGIN /,
  // An object of JSON in Base64, as JSON Web Tokens begin.
  /\beyJ[\w-]{8}/,
  /\b(bearer|basic)\s+\S/i,
  /\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[opsu]_\w{20}|\bhv[sb]\.[\w-]{20}|\bxox[abprs]-|\bglpat-/,
  // Tokens of Nomad and Consul are UUIDs.
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  // Long, without a space, and mixed as no word is: random, in Base64 or the like.
  /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])(?![./])[\w+/=-]{24,}$/,
];

/** Names before a value: password=…, --token …, X-Token:…, traefik's basicauth.users=… */
const ASSIGNED = /(?<![\w.-])[\w.-]+(?=\s*[=:]\s*\S|\s+\S)/g;
const ASSIGNED_SECRET = new RegExp(`${SECRET_WORD.source}|auth`, "i");

/** Texts that can be no secret, whatever they are called. */
const HARMLESS = /^(true|false|nil|)$/;

/** A flag whose value is the argument behind it. */
export function announcesSecret(argument: string): boolean {
  return argument.startsWith("-") && SECRET_NAME.test(argument.replace(/^-+/, "")) && !argument.includes("=");
}

/**
 * Whether the value of a field may be a secret. `names` are those of the blocks down to the field, without group and
 * task, which people name as they like.
 */
export function mayBeSecret(names: readonly string[], values: readonly string[]): boolean {
  if (values.every((value) => HARMLESS.test(value))) return false;
  if (values.some(({ length }) => length > MAX_LOOKED_AT)) return true;
  const lower = names.map((name) => name.toLowerCase());
  if (lower.some((name) => SECRET_BLOCKS.has(name))) return true;
  if (lower[0] === "secret" && lower[1] === "config") return true;
  if (lower.includes("args") && lower.some((name) => UNORDERED_ARGUMENTS.has(name))) return true;
  if (names.some((name) => SECRET_NAME.test(name) && name !== "Secret")) return true;
  // An image's tag stands behind its name as a value does.
  const isImage = lower.at(-1) === "image";
  return values.some(
    (value) => SECRET_TEXTS.some((text) => text.test(value)) || (!isImage && assignsSecret(value)),
  );
}

function assignsSecret(value: string): boolean {
  return value.match(ASSIGNED)?.some((name) => ASSIGNED_SECRET.test(name)) === true;
}
