import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { own } from "./own-processes.ts";

interface IssuedCertificate {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority in a directory of its own, made with the openssl command. */
export interface TestAuthority extends Disposable {
  readonly directory: string;
  /** Path of the authority's PEM file. */
  readonly ca: string;
  /** Issues a certificate, `names` as in subjectAltName: "DNS:server.global.nomad,IP:127.0.0.1". */
  issue(name: string, names: string): IssuedCertificate;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export function createTestAuthority(name: string): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), "ncf-tls-"));
  const file = (base: string) => join(directory, base);
  const run = (...options: string[]) =>
    execFileSync("openssl", ["req", "-x509", ...KEY, "-days", "2", ...options], { stdio: "pipe" });
  run("-keyout", file("ca.key"), "-out", file("ca.pem"), "-subj", `/CN=${name}`);
  return {
    directory,
    ca: file("ca.pem"),
    issue: (base, names) => {
      const [cert, key] = [file(`${base}.pem`), file(`${base}.key`)];
      const authority = ["-CA", file("ca.pem"), "-CAkey", file("ca.key")];
      run(
        ...authority,
        "-keyout",
        key,
        "-out",
        cert,
        "-subj",
        `/CN=${base}`,
        "-addext",
        `subjectAltName=${names}`,
      );
      return { cert, key };
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** `openssl s_server` on a free port: refuses client certificates with a TLS alert, as Go does and Node does not. */
export async function serveWithOpenssl(
  options: readonly string[],
): Promise<{ url: string } & AsyncDisposable> {
  const server = own(
    spawn("openssl", ["s_server", "-accept", "0", "-www", ...options], {
      stdio: ["ignore", "pipe", "ignore"],
    }),
    "openssl",
  );
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server.stdout }).on("line", (line) => {
      const found = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    server.once("exit", (code) => reject(new Error(`openssl s_server ended with ${code}`)));
  });
  return {
    url: `https://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      if (server.exitCode === null) await new Promise((resolve) => server.once("exit", resolve));
    },
  };
}
