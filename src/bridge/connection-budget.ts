/** Connections kept free of blocking queries: for checks, re-reads and other tools on this host. */
const SPARE_CONNECTIONS = 8;

/** How many scopes may hold a blocking query, of the connections `--max-connections` allows. */
export function maxScopesOf(maxConnections: number): number {
  return Math.max(1, maxConnections - SPARE_CONNECTIONS);
}
