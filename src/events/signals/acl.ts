import { lifeOf } from "./life.ts";
import { signal, type Signal } from "./signal.ts";
import { appeared, is } from "./transition.ts";

export const ACL_POLICY_SIGNALS: readonly Signal[] = lifeOf("acl_policy", "An ACL policy");

export const ACL_ROLE_SIGNALS: readonly Signal[] = lifeOf("acl_role", "An ACL role");

export const ACL_TOKEN_SIGNALS: readonly Signal[] = [
  ...lifeOf("acl_token", "An ACL token"),
  signal(
    "acl_token.management_created",
    "WARN",
    "A token that may do everything was made",
    appeared(is("Type", "management")),
  ),
];

export const ACL_AUTH_METHOD_SIGNALS: readonly Signal[] = lifeOf("acl_auth_method", "An auth method");

export const ACL_BINDING_RULE_SIGNALS: readonly Signal[] = lifeOf("acl_binding_rule", "A binding rule");
