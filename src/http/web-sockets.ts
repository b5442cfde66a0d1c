import { WebSocketServer } from "ws";

/** A ping or an ack is all a client has to say. */
const MAX_MESSAGE_BYTES = 4096;
const SUBPROTOCOL = "cloudevents.json";

/** Makes WebSockets of upgrades, as all streams have them. */
export function createWebSockets(): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    // One message of a client at a time, so that a flood of them leaves others their turns.
    allowSynchronousEvents: false,
    // How often is for listenToClient to say.
    autoPong: false,
    // Any other that is offered may be a token.
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
}
