import { createHash } from "node:crypto";
import type { Raft } from "../raft.ts";
import type { Row } from "../store/row.ts";
import { secretGroup } from "../store/state.ts";
import type { AclTokenStub, PolicyRules } from "./records.ts";
import { goTime, NS_PER_MS } from "../go-time.ts";

export interface TokenInput {
  readonly name?: string;
  readonly type?: "client" | "management";
  readonly policies?: readonly string[];
  /** Fixed secret; a random one by default. */
  readonly secretId?: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export interface Token {
  readonly accessorId: string;
  readonly secretId: string;
}

/** Writes policies and tokens; each call is one raft entry. */
export class AclAdmin {
  readonly #raft: Raft;

  constructor(raft: Raft) {
    this.#raft = raft;
  }

  /** Creates the policy or replaces its rules. */
  setPolicy(name: string, rules: PolicyRules, description = ""): void {
    this.#raft.write("ACLPolicyUpserted", (tx) => {
      const existing = tx.get("policies", "-", name);
      const stub = {
        CreateIndex: existing?.stub.CreateIndex ?? tx.index,
        Description: description,
        Hash: createHash("sha256")
          .update(JSON.stringify([name, rules]))
          .digest("base64"),
        JobACL: null,
        ModifyIndex: tx.index,
        Name: name,
      };
      tx.put("policies", "-", name, stub, { rules });
    });
  }

  deletePolicy(name: string): void {
    this.#raft.write("ACLPolicyDeleted", (tx) => {
      const row = tx.get("policies", "-", name);
      if (row !== undefined) tx.delete(row);
    });
  }

  createToken(input: TokenInput = {}): Token {
    return this.#raft.write("ACLTokenUpserted", (tx) => {
      const type = input.type ?? "client";
      const accessorId = tx.uuid();
      const secretId = input.secretId ?? tx.uuid();
      const stub: AclTokenStub = {
        ExpirationTTL: "",
        AccessorID: accessorId,
        SecretID: secretId,
        Name: input.name ?? "",
        Type: type,
        Policies: type === "management" ? null : (input.policies ?? []),
        Roles: null,
        Global: type === "management",
        Hash: createHash("sha256").update(accessorId).digest("base64"),
        CreateTime: tx.nowText(),
        ExpirationTime: input.expiresAt === undefined ? null : goTime(BigInt(input.expiresAt) * NS_PER_MS),
        CreateIndex: tx.index,
        ModifyIndex: tx.index,
      };
      tx.put("tokens", "-", accessorId, stub, null);
      return { accessorId, secretId };
    });
  }

  /** Gives the token other policies, or another expiry. */
  updateToken(secretId: string, changes: { policies?: readonly string[]; expiresAt?: number }): void {
    const row = this.#token(secretId);
    this.#raft.write("ACLTokenUpserted", (tx) => {
      const expiry =
        changes.expiresAt === undefined
          ? {}
          : { ExpirationTime: goTime(BigInt(changes.expiresAt) * NS_PER_MS) };
      const policies = changes.policies === undefined ? {} : { Policies: changes.policies };
      tx.put("tokens", "-", row.key, { ...row.stub, ...policies, ...expiry, ModifyIndex: tx.index }, null);
    });
  }

  deleteToken(secretId: string): void {
    const row = this.#token(secretId);
    this.#raft.write("ACLTokenDeleted", (tx) => tx.delete(row));
  }

  #token(secretId: string): Row<"tokens"> {
    const [row] = this.#raft.leader.state.tables.tokens.group(secretGroup(secretId));
    if (row === undefined) throw new RangeError("The simulator has no token with this secret");
    return row;
  }
}
