import { ChangefeedError } from "../../schemas/errors.ts";

export class NoDelivery extends ChangefeedError {
  readonly code = "NO_DELIVERY";
  constructor(name: string) {
    super(`There is no delivery ${JSON.stringify(name.slice(0, 100))}`, {
      hint: "GET /v1/deliveries lists them; each is a destination of the configuration",
    });
  }
}
