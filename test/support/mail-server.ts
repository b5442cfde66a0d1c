import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface Mail {
  /** By their names in lower case, unfolded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly to: readonly string[];
  /** Both parts as people read them. */
  readonly text: string;
}

/** Paths of PEM files. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface User {
  readonly name: string;
  readonly password: string;
}

/** What it answers at the step named in place of taking mail. */
export interface Refusing {
  readonly at: "auth" | "from" | "to" | "data";
  readonly code: number;
}

/** A real SMTP server on loopback, by STARTTLS with a password. */
export class MailServer implements AsyncDisposable {
  readonly mails: Mail[] = [];
  refusing: Refusing | undefined;
  readonly #certificate: Certificate;
  readonly #user: User;
  readonly #options: SMTPServerOptions;
  readonly #held: (() => void)[] = [];
  #server: SMTPServer | undefined;
  #isHanging = false;
  #port = 0;

  private constructor(certificate: Certificate, user: User, options: SMTPServerOptions) {
    this.#certificate = certificate;
    this.#user = user;
    this.#options = options;
  }

  static async start(
    certificate: Certificate,
    user: User,
    options: SMTPServerOptions = {},
  ): Promise<MailServer> {
    const server = new MailServer(certificate, user, options);
    await server.comeBack();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  open(): number {
    return this.#server?.connections.size ?? 0;
  }

  /** Takes whole mails, and answers nothing. */
  hang(): void {
    this.#isHanging = true;
  }

  async leave(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    for (const answer of this.#held.splice(0)) answer();
    server.server.close();
    for (const { _socket } of server.connections) _socket.destroy();
  }

  async comeBack(): Promise<void> {
    this.#isHanging = false;
    this.refusing = undefined;
    for (const answer of this.#held.splice(0)) answer();
    this.#server ??= await this.#listen();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #listen(): Promise<SMTPServer> {
    const server = new SMTPServer({
      cert: readFileSync(this.#certificate.cert),
      key: readFileSync(this.#certificate.key),
      disableReverseLookup: true,
      logger: false,
      onAuth: ({ username, password }, _session, done) => {
        const isKnown = username === this.#user.name && password === this.#user.password;
        done(isKnown ? this.#refusal("auth") : codedError(535), { user: username });
      },
      onMailFrom: (_address, _session, done) => done(this.#refusal("from")),
      onRcptTo: (_address, _session, done) => done(this.#refusal("to")),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          if (this.#isHanging) return void this.#held.push(() => done(codedError(451)));
          const refusal = this.#refusal("data");
          const to = session.envelope.rcptTo.map(({ address }) => address);
          if (refusal === null) this.mails.push(mailOf(Buffer.concat(chunks).toString(), to));
          return done(refusal);
        });
      },
      ...this.#options,
    });
    server.on("error", () => undefined);
    server.listen(this.#port, "127.0.0.1");
    await once(server.server, "listening");
    this.#port = (server.server.address() as AddressInfo).port;
    return server;
  }

  /** Some repeat what they were sent. */
  #refusal(at: Refusing["at"]): Error | null {
    return this.refusing?.at === at ? codedError(this.refusing.code, this.#user.password) : null;
  }
}

function codedError(responseCode: number, words = "no"): Error {
  return Object.assign(new Error(`refused: ${words}`), { responseCode });
}

function mailOf(raw: string, to: readonly string[]): Mail {
  const end = raw.indexOf("\r\n\r\n");
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const headers = new Map(
    lines.map((line): [string, string] => {
      const [name = "", ...rest] = line.split(": ");
      return [name.toLowerCase(), unworded(rest.join(": "))];
    }),
  );
  return { headers, to, text: unquoted(raw.slice(end)) };
}

/** Quoted-printable as UTF-8. */
function unquoted(text: string): string {
  const joined = text.replaceAll(/=\r\n/g, "");
  const bytes = joined.replaceAll(/=([0-9A-F]{2})/g, (_code, hex: string) => `%${hex}`);
  return bytes.replaceAll(/(?:%[0-9A-F]{2})+/g, (run) => decodeURIComponent(run));
}

/** Encoded words of a header. */
function unworded(text: string): string {
  const joined = text.replaceAll(/\?= =\?/g, "?==?");
  return joined.replaceAll(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_word, kind: string, code: string) =>
    kind.toUpperCase() === "B" ? Buffer.from(code, "base64").toString() : unquoted(code.replaceAll("_", " ")),
  );
}
