import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { prefersHtml } from "../accepted.ts";
import { NotFound } from "../errors.ts";
import { sendFile, sendText } from "./answer.ts";
import { PAGE, type ConsoleFiles } from "./files.ts";

export interface ConsoleDeps {
  /** Absent: no console is served. */
  readonly console?: ConsoleFiles | undefined;
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>nomad-changefeed</title>
<h1>The console is not built</h1>
<p>This bridge runs from a checkout in which nobody built the console yet. In the checkout run
<pre>npm run build -w console</pre>
<p>and start the bridge again. The feed itself is served: <a href="v1/events?since=10m">events of the last ten minutes</a>,
<a href="v1/openapi.json">all routes</a>.
</html>
`;

/** Whether a request for `/` is for the page. */
export function asksForPage({ headers }: Pick<IncomingMessage, "headers">): boolean {
  return prefersHtml(headers.accept ?? "");
}

/** The page of the console, or how it is built. */
export async function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  files: ConsoleFiles,
): Promise<FastifyReply> {
  const page = files.get(PAGE);
  return page === undefined ? sendText(reply, NOT_BUILT) : sendFile(request, reply, page);
}

/** What the page loads. It holds no data, so that it needs no token. */
export function addConsoleRoutes(app: FastifyInstance, { console: files }: ConsoleDeps): void {
  if (files === undefined) return;
  const options = { config: { needsNoToken: () => true } };
  const send = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const [path = ""] = request.url.split("?", 1);
    const file = files.get(path.slice(1));
    if (file === undefined) throw new NotFound(request.method, path);
    return sendFile(request, reply, file);
  };
  app.get("/assets/*", options, send);
  const others = [...files.keys()].filter((path) => path !== PAGE && !path.startsWith("assets/"));
  for (const path of others) app.get(`/${path}`, options, send);
}
