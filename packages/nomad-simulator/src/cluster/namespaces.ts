import { createHash } from "node:crypto";
import type { NamespaceStub } from "../model/namespace.ts";
import type { Row } from "../store/row.ts";
import type { Transaction } from "./transaction.ts";

export interface NamespaceInput {
  readonly description?: string;
  readonly quota?: string;
  readonly meta?: Readonly<Record<string, string>>;
}

/** Creates the namespace, or changes it where it exists. */
export function putNamespace(tx: Transaction, name: string, input: NamespaceInput): Row<"namespaces"> {
  const existing = tx.get("namespaces", "-", name);
  const Description = input.description ?? existing?.stub.Description ?? "";
  const Quota = input.quota ?? existing?.stub.Quota ?? "";
  const Meta = input.meta === undefined ? (existing?.stub.Meta ?? null) : new Map(Object.entries(input.meta));
  const stub: NamespaceStub = {
    Capabilities: null,
    ConsulConfiguration: null,
    CreateIndex: existing?.stub.CreateIndex ?? tx.index,
    Description,
    Hash: createHash("sha256")
      .update(JSON.stringify([name, Description, Quota, [...(Meta ?? [])]]))
      .digest("base64"),
    Meta,
    ModifyIndex: tx.index,
    Name: name,
    NodePoolConfiguration: null,
    OptionalExtraClaims: null,
    Quota,
    RequiredExtraClaims: null,
    VaultConfiguration: null,
  };
  return tx.put("namespaces", "-", name, stub, null);
}
