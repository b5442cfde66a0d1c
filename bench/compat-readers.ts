import { request } from "node:http";

/** Clients of Nomad's event stream: arguments are the address, how many, and how many frames each waits for. */
const [address = "", clients = "", frames = ""] = process.argv.slice(2);
const NEWLINE = 0x0a;
const HEARTBEAT = Buffer.from("{}\n");

const begin = performance.now();
await Promise.all(Array.from({ length: Number(clients) }, () => readAll()));
process.send?.(performance.now() - begin);

function readAll(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asked = request(`${address}/v1/event/stream?namespace=*&index=1`, { agent: false }, (answer) => {
    let left = Number(frames);
    answer.on("data", (chunk: Buffer) => {
      left -= linesIn(chunk);
      if (left > 0) return;
      answer.destroy();
      resolve();
    });
    answer.on("end", () => reject(new Error(`the stream ended ${left} frames before its end`)));
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

/** Without the heartbeat that comes first, by itself. */
function linesIn(chunk: Buffer): number {
  if (chunk.equals(HEARTBEAT)) return 0;
  let lines = chunk.subarray(0, HEARTBEAT.length).equals(HEARTBEAT) ? -1 : 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
