import { answer, inPath, refusals } from "./parts.ts";

const BYTES = { "application/octet-stream": { type: "string", format: "binary" } };

/** Audit trails: C2SP tlog-tiles below each prefix. The first is for who has one trail. */
export function auditPaths(): object {
  return Object.fromEntries([
    ...pathsBelow("/v1/audit", "", []),
    ...pathsBelow("/v1/audit/{name}", "Of", [inPath("name", { type: "string" })]),
  ]);
}

function pathsBelow(prefix: string, suffix: string, parameters: readonly object[]): [string, object][] {
  const get = (operationId: string, summary: string, content: object, own: readonly object[] = []) => ({
    parameters: [...parameters, ...own],
    get: {
      operationId: `${operationId}${suffix}`,
      summary,
      responses: { 200: answer(summary, content), ...refusals(401, 403, 404, 429, 503) },
    },
  });
  return [
    [
      `${prefix}/checkpoint`,
      get("readCheckpoint", "The trail's signed checkpoint", { "text/plain": { type: "string" } }),
    ],
    [
      `${prefix}/tile/{level}/{tile}`,
      get("readTile", "Hashes of the trail's tree", BYTES, [
        inPath("level", { type: "integer", minimum: 0, maximum: 63 }),
        TILE,
      ]),
    ],
    [`${prefix}/tile/entries/{tile}`, get("readEntries", "A bundle of the trail's entries", BYTES, [TILE])],
    [
      `${prefix}/objects/{sha256}`,
      get("readObject", "The data of an entry that was too large for it", { "application/json": {} }, [
        inPath("sha256", { type: "string", pattern: "^[0-9a-f]{64}$" }),
      ]),
    ],
  ];
}

const TILE = {
  ...inPath("tile", { type: "string", pattern: String.raw`^(x\d{3}/)*\d{3}(\.p/\d{1,3})?$` }),
  description: "Its number in groups of three digits: 067, x001/234; with .p/<width> where it is not full",
};
