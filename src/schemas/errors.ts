// The client raises such errors too, and takes nothing from here.
export { ChangefeedError } from "../../packages/client/src/changefeed-error.ts";
