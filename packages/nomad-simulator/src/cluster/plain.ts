import type { Row } from "../store/row.ts";
import { plainList, type PlainFields, type PlainStub, type PlainTable } from "../store/plain-tables.ts";
import type { Transaction } from "./transaction.ts";

/** Writes an object, new or not. */
export function putPlain<T extends PlainTable>(tx: Transaction, table: T, fields: PlainFields): Row<T> {
  const { namespace, key } = identityOf(table, fields);
  const before = tx.get(table, namespace, key);
  const stub: PlainStub = {
    ...fields,
    CreateIndex: before?.stub.CreateIndex ?? tx.index,
    ModifyIndex: tx.index,
  };
  return tx.put(table, namespace, key, stub, null);
}

/** @throws RangeError where there is no such object. */
export function removePlain(tx: Transaction, table: PlainTable, fields: PlainFields): void {
  const { namespace, key } = identityOf(table, fields);
  const row = tx.get(table, namespace, key);
  if (row === undefined) throw new RangeError(`The simulator has no ${key} in ${table}`);
  tx.delete(row);
}

function identityOf(table: PlainTable, fields: PlainFields): { namespace: string; key: string } {
  const { key, namespaced } = plainList(table);
  return {
    namespace: namespaced === true ? textIn(fields, "Namespace") : "-",
    key: textIn(fields, key),
  };
}

function textIn(fields: PlainFields, name: string): string {
  const value = fields[name];
  if (typeof value !== "string") throw new TypeError(`The object needs a text in ${name}`);
  return value;
}
