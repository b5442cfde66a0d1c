import type { Clock } from "../../shared/clock.ts";
import { assertDocumentFits } from "../document-size.ts";
import { Fenced } from "../errors.ts";
import type { DocumentStore, StoredDocument } from "../log.ts";
import type { Connection } from "./connection.ts";
import { documentOf, formatOf } from "./rows.ts";
import { recordedText } from "./trim.ts";

/** The format that brought the table. */
const SINCE_FORMAT = 5;

export class SqliteDocuments implements DocumentStore {
  readonly #reading: () => Connection;
  readonly #writing: () => Connection;
  readonly #clock: Pick<Clock, "now">;

  /** `reading` and `writing` answer the connection, or throw where it cannot be used so. */
  constructor(reading: () => Connection, writing: () => Connection, clock: Pick<Clock, "now">) {
    this.#reading = reading;
    this.#writing = writing;
    this.#clock = clock;
  }

  async get(name: string): Promise<StoredDocument | undefined> {
    const connection = this.#reading();
    return formatOf(connection) < SINCE_FORMAT ? undefined : find(connection, name);
  }

  async list(prefix: string): Promise<StoredDocument[]> {
    const connection = this.#reading();
    if (formatOf(connection) < SINCE_FORMAT) return [];
    return connection
      .all("SELECT * FROM documents WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name", [prefix])
      .map(documentOf);
  }

  async claim(name: string, owner: string): Promise<StoredDocument> {
    const connection = this.#writing();
    return connection.transaction(() => {
      const text = find(connection, name)?.text ?? null;
      return this.#write(connection, { name, owner, fence: nextFence(connection), text });
    });
  }

  async save(name: string, fence: number, text: string): Promise<void> {
    assertDocumentFits(name, text);
    const connection = this.#writing();
    connection.transaction(() => {
      this.#write(connection, { ...demand(connection, name, fence), text });
    });
  }

  async change(name: string, fence: number, text: string): Promise<StoredDocument> {
    assertDocumentFits(name, text);
    const connection = this.#writing();
    return connection.transaction(() => {
      const stored = demand(connection, name, fence);
      return this.#write(connection, { ...stored, text, fence: nextFence(connection) });
    });
  }

  async remove(name: string): Promise<boolean> {
    return this.#writing().run("DELETE FROM documents WHERE name = ?", [name]) === 1;
  }

  #write(connection: Connection, document: Omit<StoredDocument, "updatedAt">): StoredDocument {
    const { name, owner, fence, text } = document;
    const updatedAt = recordedText(this.#clock.now());
    connection.run(
      "INSERT OR REPLACE INTO documents (name, owner, fence, text, updated_at) VALUES (?, ?, ?, ?, ?)",
      [name, owner, fence, text, updatedAt],
    );
    return { name, owner, fence, text, updatedAt };
  }
}

function find(connection: Connection, name: string): StoredDocument | undefined {
  const row = connection.get("SELECT * FROM documents WHERE name = ?", [name]);
  return row === undefined ? undefined : documentOf(row);
}

/** @throws Fenced */
function demand(connection: Connection, name: string, fence: number): StoredDocument {
  const stored = find(connection, name);
  if (stored?.fence !== fence) throw new Fenced(`Document ${name}`, fence, stored?.fence ?? 0);
  return stored;
}

/** The scopes' fences come from the same count. */
function nextFence(connection: Connection): number {
  connection.run("UPDATE meta SET fence = fence + 1");
  return connection.get("SELECT fence FROM meta")?.integer("fence") ?? 0;
}
