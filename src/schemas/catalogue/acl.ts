import { NEVER_NAME, NEVER_UUID, type Entry } from "./entry.ts";

const INDEXES = ["CreateIndex", "ModifyIndex"] as const;

/**
 * Who may do what. Only management tokens may see it, and only the members named here are taken, so that a secret has
 * no way in whatever Nomad comes to answer.
 */
export const ACL = {
  "acl-policies": {
    noun: "acl-policy",
    path: "/v1/acl/policies",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    grants: [],
    neverPrefix: NEVER_NAME,
    timeFields: [],
    references: {},
    members: ["Name", "Description", "JobACL", "Hash", ...INDEXES],
  },
  "acl-roles": {
    noun: "acl-role",
    path: "/v1/acl/roles",
    namespaced: false,
    keyField: "ID",
    nameField: "Name",
    grants: [],
    neverPrefix: NEVER_UUID,
    timeFields: [],
    references: {},
    members: ["ID", "Name", "Description", "Policies", "Hash", ...INDEXES],
  },
  "acl-tokens": {
    noun: "acl-token",
    path: "/v1/acl/tokens",
    namespaced: false,
    keyField: "AccessorID",
    nameField: "Name",
    grants: [],
    neverPrefix: NEVER_UUID,
    timeFields: [],
    references: {},
    members: [
      "AccessorID",
      "Name",
      "Type",
      "Policies",
      "Roles",
      "Global",
      "Hash",
      "CreateTime",
      "ExpirationTime",
      ...INDEXES,
    ],
  },
  "acl-auth-methods": {
    noun: "acl-auth-method",
    path: "/v1/acl/auth-methods",
    namespaced: false,
    keyField: "Name",
    nameField: "Name",
    grants: [],
    neverPrefix: undefined,
    timeFields: [],
    references: {},
    members: ["Name", "Type", "Default", "Hash", ...INDEXES],
  },
  "acl-binding-rules": {
    noun: "acl-binding-rule",
    path: "/v1/acl/binding-rules",
    namespaced: false,
    keyField: "ID",
    nameField: "ID",
    grants: [],
    neverPrefix: undefined,
    timeFields: [],
    references: {},
    members: ["ID", "Description", "AuthMethod", "Hash", ...INDEXES],
  },
} as const satisfies Record<string, Entry>;
