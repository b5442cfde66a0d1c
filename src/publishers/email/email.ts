import { connect, type Socket } from "node:net";
import { createTransport, type SMTPTransportOptions } from "nodemailer";
import { z } from "zod";
import type { EmailSettings } from "../../schemas/destinations/email.ts";
import type {
  AlertDestination,
  AlertDestinationDeps,
  AlertMessage,
  AlertSendResult,
} from "../alerting/alert-destination.ts";
import { messageName } from "../alerting/message-name.ts";
import { storyOf } from "../alerting/story.ts";
import { HiddenTexts } from "../hidden.ts";
import { readTls, type TlsTexts } from "../tls-options.ts";
import { failureOf } from "./failures.ts";
import { letterOf, type Letter } from "./letter.ts";

const SHOWN_LENGTH = 1024;

/** @throws what is wrong with a secret or a TLS file */
export async function openEmail(
  settings: EmailSettings,
  deps: AlertDestinationDeps,
): Promise<AlertDestination> {
  return new Email(settings, await readTls(settings.tls ?? {}), deps);
}

/** The first mail of a group: the others answer it, under its subject, which is what mailboxes go by. */
const rememberedSchema = z.object({ first: z.string(), subject: z.string() });
type Thread = z.infer<typeof rememberedSchema>;

/** A mail for each message, over a connection of its own; those of one group are a thread. */
class Email implements AlertDestination {
  readonly target: string;
  readonly #settings: EmailSettings;
  readonly #tls: TlsTexts;
  readonly #auth: { readonly user: string; readonly pass: string } | undefined;
  readonly #hidden: HiddenTexts;
  readonly #domain: string;
  readonly #sockets = new Set<Socket>();
  readonly #deps: AlertDestinationDeps;

  constructor(settings: EmailSettings, tls: TlsTexts, deps: AlertDestinationDeps) {
    const { host, port, username, password, from } = settings;
    this.target = `smtp://${host.includes(":") ? `[${host}]` : host}:${port}`;
    this.#settings = settings;
    this.#tls = tls;
    this.#deps = deps;
    if (username !== undefined && password !== undefined)
      this.#auth = { user: deps.readSecret(username).trim(), pass: deps.readSecret(password).trim() };
    this.#hidden = new HiddenTexts(this.#auth === undefined ? [] : secretsOf(this.#auth));
    this.#domain = /@([^\s<>@]+)>?$/.exec(from)?.[1] ?? "localhost";
  }

  async send(message: AlertMessage, signal: AbortSignal): Promise<AlertSendResult> {
    signal.throwIfAborted();
    const letter = letterOf(storyOf(message, this.#deps));
    const id = `<nomad-changefeed.${messageName(this.#deps.source, message)}@${this.#domain}>`;
    const thread = rememberedSchema.safeParse(message.remembered).data;
    const now = thread ?? { first: id, subject: letter.subject };
    try {
      const exchange = await this.#hand(letter, id, thread, signal);
      return { outcome: "ok", exchange, remember: message.firing.length === 0 ? null : now };
    } catch (error) {
      signal.throwIfAborted();
      const result = failureOf(error);
      if (result.outcome === "ok") return result;
      const reason = this.#hidden.show(result.reason, SHOWN_LENGTH, false);
      return { ...result, reason, exchange: { request: this.#shown(letter), answer: null } };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #hand(letter: Letter, id: string, thread: Thread | undefined, signal: AbortSignal) {
    const { from, to } = this.#settings;
    const { response, rejected } = await this.#transport(signal).sendMail({
      from,
      to: [...to],
      ...letter,
      subject: thread === undefined ? letter.subject : `Re: ${thread.subject}`,
      messageId: id,
      ...(thread !== undefined && { inReplyTo: thread.first, references: thread.first }),
      headers: { "Auto-Submitted": "auto-generated" },
      textEncoding: "quoted-printable",
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    if (rejected.length > 0)
      this.#deps.logger.warn(
        { destination: this.#deps.name, rejected: rejected.map(String) },
        "the mail server took the mail, but not for all addresses",
      );
    const status = Number.parseInt(response, 10);
    const answer = this.#hidden.show(response, SHOWN_LENGTH, false);
    return { request: this.#shown(letter), answer, ...(Number.isFinite(status) && { status }) };
  }

  #transport(signal: AbortSignal) {
    const { host, port, security } = this.#settings;
    const options: SMTPTransportOptions = {
      host,
      port,
      secure: security === "tls",
      requireTLS: security === "starttls",
      ignoreTLS: security === "none",
      tls: { minVersion: "TLSv1.2", ...this.#tls },
      ...(this.#auth && { auth: this.#auth }),
      getSocket: (_options, done) => {
        const socket = this.#connect(signal);
        socket.once("connect", () => done(null, { connection: socket }));
        socket.on("error", (error) => done(error));
      },
    };
    return createTransport(options);
  }

  /** Closed when `signal` aborts: the library itself would wait for the server. */
  #connect(signal: AbortSignal): Socket {
    const { host, port } = this.#settings;
    const socket = connect({ host, port, signal });
    this.#sockets.add(socket);
    return socket.once("close", () => this.#sockets.delete(socket));
  }

  #shown({ subject, text }: Letter): string {
    return this.#hidden.show(`${subject}\n\n${text}`, SHOWN_LENGTH, false);
  }
}

/** Also as they go over the wire. */
function secretsOf({ user, pass }: { user: string; pass: string }): string[] {
  return [pass, ...[pass, user, `\0${user}\0${pass}`].map((text) => Buffer.from(text).toString("base64"))];
}
