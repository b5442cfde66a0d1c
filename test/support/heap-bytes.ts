import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What is held on the heap once what nobody holds is collected. */
export async function heapBytes(): Promise<number> {
  for (let times = 0; times < 4; times++) {
    collect();
    await delay(10);
  }
  return process.memoryUsage().heapUsed;
}
