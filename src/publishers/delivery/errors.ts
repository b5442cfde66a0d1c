import { ChangefeedError } from "../../schemas/errors.ts";

/** What is done with positions and dead letters, asked of a destination that has neither. */
export class NotForAlerts extends ChangefeedError {
  readonly code = "NOT_FOR_ALERTS";
  constructor(name: string) {
    super(`${name} is a destination of alerts: it has no place in the log and no dead letters`, {
      hint: "It can be shown, tested, paused and resumed. What fires is told again by itself",
    });
  }
}

export class NoDelivery extends ChangefeedError {
  readonly code = "NO_DELIVERY";
  constructor(name: string) {
    super(`There is no delivery ${JSON.stringify(name.slice(0, 100))}`, {
      hint: "GET /v1/deliveries lists them; each is a destination of the configuration",
    });
  }
}
