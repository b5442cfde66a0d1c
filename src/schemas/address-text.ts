export { hideSecrets, hideSecretsIn, isCutPassword } from "../../packages/client/src/address-text.ts";
