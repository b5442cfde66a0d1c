import { LocalDuties } from "../../src/coordination/local/local-duties.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { coordinationContract } from "./coordination.ts";

coordinationContract("One process", async ({ restMs }) => new LocalDuties("me", silentLogger(), restMs));
