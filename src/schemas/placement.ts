export { placementReasons } from "../../packages/client/src/placement.ts";
