import { answer, refusals } from "./parts.ts";
import { wireSchema } from "./schemas.ts";

/** How a page of the server signs in. */
export function sessionPaths(): object {
  const session = (description: string) => answer(description, { "application/json": wireSchema("session") });
  return {
    "/v1/session": {
      get: {
        operationId: "readSession",
        summary: "Who asks, as far as the server knows; answered without a token too",
        responses: { 200: session("Who asks"), ...refusals(400, 403, 503) },
      },
      post: {
        operationId: "signIn",
        summary: "A cookie for a page of this server that stands for the token of this request",
        parameters: [
          {
            name: "remember",
            in: "query",
            description:
              "How long the browser keeps it: true, for 30 days, or 1m to 90d. Default: until it is closed, a day at most",
            schema: { type: "string" },
          },
        ],
        responses: { 200: session("Who signed in"), ...refusals(400, 401, 403, 429, 503) },
      },
      delete: {
        operationId: "signOut",
        summary: "Removes the cookie from the browser",
        responses: { 204: { description: "It is removed" }, ...refusals(400, 403, 503) },
      },
    },
  };
}
