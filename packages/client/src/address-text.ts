const REDACTED = "[redacted]";

const HOST = String.raw`(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?`;
/** An address without a user, or only the host of one, or the path of a socket: nothing in it can be a password. */
const HARMLESS = new RegExp(String.raw`^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:${HOST}|(?=\/))(?:[/?#].*)?$`, "is");
const SCHEME = /^\s*[a-z][a-z0-9+.-]*:\/\//i;
/** A password after the `?`, up to the next setting that an address of Redis has. */
const PASSWORD_SETTING = /(password=)(?:(?!&(?:feed|ca|sentinelUser|sentinelPassword)=).)*/gis;

/**
 * A text given as an address, for people: without users and passwords, however wrong it is. A password may hold signs
 * that should have been escaped, so everything up to the last @ counts as one; without an @, everything behind a colon
 * that no port follows.
 */
export function hideSecrets(given: string): string {
  const at = given.lastIndexOf("@");
  const scheme = SCHEME.exec(given)?.[0] ?? "";
  if (at >= 0) {
    const isOfSetting = /password=/i.test(given.slice(0, at));
    return isOfSetting ? `${scheme}${REDACTED}` : `${scheme}${REDACTED}@${hideSettings(given.slice(at + 1))}`;
  }
  if (given.split(",").every((part) => HARMLESS.test(part.trim()))) return hideSettings(given);
  const colon = given.indexOf(":", scheme.length);
  return hideSettings(colon < 0 ? given : `${given.slice(0, colon)}:${REDACTED}`);
}

/**
 * A text that quotes addresses, such as a message or a line of the log, without their users and passwords. Knows an
 * address by its `://` and takes the next blank for its end: where one is quoted, hideSecrets goes before.
 */
export function hideSecretsIn(text: string): string {
  return text
    .replaceAll(/([a-z][a-z0-9+.-]*:\/\/)(?!\[?user:password@)\S*@/gi, `$1${REDACTED}@`)
    .replaceAll(/([?&][a-z]*password=)[^&\s"]+/gi, `$1${REDACTED}`);
}

/**
 * Whether an @ stands behind the host: then the host is most likely a user or a part of a password, with a sign in it
 * that should have been escaped.
 */
export function isCutPassword({ pathname, search, hash }: URL): boolean {
  return `${pathname}${search}${hash}`.includes("@");
}

function hideSettings(text: string): string {
  return text.replaceAll(PASSWORD_SETTING, `$1${REDACTED}`);
}
