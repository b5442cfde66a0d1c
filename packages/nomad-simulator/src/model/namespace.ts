/** A namespace: list and single endpoint give the same. */
export type NamespaceStub = Readonly<{
  Capabilities: null;
  ConsulConfiguration: null;
  CreateIndex: number;
  Description: string;
  Hash: string;
  Meta: ReadonlyMap<string, string> | null;
  ModifyIndex: number;
  Name: string;
  NodePoolConfiguration: null;
  OptionalExtraClaims: null;
  Quota: string;
  RequiredExtraClaims: null;
  VaultConfiguration: null;
}>;
