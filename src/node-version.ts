/** As `engines` in package.json says. */
const OLDEST_MAJOR = 24;

/** Why the program cannot run on this version of Node; undefined where it can. Imports nothing, for it runs on any. */
export function whyTooOld(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return undefined;
  return `nomad-changefeed needs Node ${OLDEST_MAJOR} or newer; this is Node ${version}: see https://nodejs.org`;
}
