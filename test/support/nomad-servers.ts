import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A server on loopback that plays one Nomad agent. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** `METHOD path?query` of every request so far. */
  readonly requests: string[];
  /** Connections open now, and the most there were at once. */
  open(): number;
  peak(): number;
}

export async function serveHttp(
  listener: RequestListener,
  options: { tls?: ServerOptions; socketPath?: string; port?: number } = {},
): Promise<TestServer> {
  const requests: string[] = [];
  const record: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    listener(request, response);
  };
  const server = options.tls === undefined ? createServer(record) : createTlsServer(options.tls, record);
  return start(server, options.tls === undefined ? "http" : "https", requests, options);
}

/** A server that speaks whatever `onConnection` writes. */
export async function serveTcp(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return start(createTcpServer({ allowHalfOpen: true }, onConnection), "http", []);
}

async function start(
  server: Server,
  scheme: string,
  requests: string[],
  { socketPath, port: wanted = 0 }: { socketPath?: string; port?: number } = {},
): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let peak = 0;
  server.on("connection", (socket) => {
    sockets.add(socket);
    peak = Math.max(peak, sockets.size);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (socketPath === undefined) server.listen(wanted, "127.0.0.1", resolve);
    else server.listen(socketPath, resolve);
  });
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    url: socketPath === undefined ? `${scheme}://127.0.0.1:${port}` : `unix://${socketPath}`,
    port,
    requests,
    open: () => sockets.size,
    peak: () => peak,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The headers Nomad puts on a list. */
export const LIST_HEADERS = {
  "Content-Type": "application/json",
  "X-Nomad-Index": "486",
  "X-Nomad-Knownleader": "true",
  "X-Nomad-Lastcontact": "0",
};

export function sendList(
  response: ServerResponse,
  body: string | Buffer,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { ...LIST_HEADERS, ...headers }).end(body);
}

/** A refusal as Nomad writes it: plain text, no index. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers }).end(text);
}
