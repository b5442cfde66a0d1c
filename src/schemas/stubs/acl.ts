import { z } from "zod";
import { flag, hash, indexes, strings, text, time } from "./values.ts";

const link = z
  .array(z.looseObject({ Name: text }))
  .nullable()
  .optional();

export const ACL_STUBS = {
  "acl-policies": z.looseObject({
    Name: text,
    Description: text,
    JobACL: z.looseObject({}).nullable().optional(),
    Hash: hash,
    ...indexes,
  }),
  "acl-roles": z.looseObject({
    ID: text,
    Name: text,
    Description: text,
    Policies: link,
    Hash: hash,
    ...indexes,
  }),
  "acl-tokens": z.looseObject({
    AccessorID: text,
    Name: text,
    Type: text.describe("client, management"),
    Policies: strings.optional(),
    Roles: link,
    Global: flag,
    Hash: hash,
    CreateTime: text,
    ExpirationTime: time.optional(),
    ...indexes,
  }),
  "acl-auth-methods": z.looseObject({
    Name: text,
    Type: text.describe("OIDC, JWT"),
    Default: flag,
    Hash: hash,
    ...indexes,
  }),
  "acl-binding-rules": z.looseObject({
    ID: text,
    Description: text,
    AuthMethod: text,
    Hash: hash,
    ...indexes,
  }),
};
