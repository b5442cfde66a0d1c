import type { FastifyInstance } from "fastify";
import { asyncApiDocument } from "./asyncapi.ts";
import { openApiDocument } from "./openapi.ts";
import { jsonText } from "../../schemas/line-safe.ts";

/** The protocol for machines. */
export function addDocumentRoutes(app: FastifyInstance): void {
  const documents = { "/v1/openapi.json": openApiDocument, "/v1/asyncapi.json": asyncApiDocument };
  for (const [path, make] of Object.entries(documents)) {
    let text: string | undefined;
    app.get(path, async (_request, reply) => {
      text ??= `${jsonText(make(), 2)}\n`;
      return reply.type("application/json; charset=utf-8").send(text);
    });
  }
}
