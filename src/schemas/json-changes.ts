export { undoChanges } from "../../packages/client/src/apply-changes.ts";
