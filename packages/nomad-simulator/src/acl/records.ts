import type { Capability } from "./capabilities.ts";

/** A policy as `/v1/acl/policies` lists it. */
export type AclPolicyStub = Readonly<{
  CreateIndex: number;
  Description: string;
  Hash: string;
  JobACL: null;
  ModifyIndex: number;
  Name: string;
}>;

export interface AclPolicyModel {
  readonly rules: PolicyRules;
}

/** `namespaces` maps an exact name or a glob to what is allowed there. */
export interface PolicyRules {
  readonly namespaces?: Readonly<Record<string, readonly Capability[] | "read" | "write" | "deny">>;
  readonly node?: "read" | "write" | "deny";
  readonly agent?: "read" | "write" | "deny";
}

/** A token as `/v1/acl/token/self` gives it, in that answer's own field order. */
export type AclTokenStub = Readonly<{
  ExpirationTTL: string;
  AccessorID: string;
  SecretID: string;
  Name: string;
  Type: "client" | "management";
  Policies: readonly string[] | null;
  Roles: null;
  Global: boolean;
  Hash: string | null;
  CreateTime: string;
  ExpirationTime: string | null;
  CreateIndex: number;
  ModifyIndex: number;
}>;
