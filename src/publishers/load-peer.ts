import { ChangefeedError } from "../schemas/errors.ts";

/** A library that something which is configured needs is not installed. */
class PeerMissing extends ChangefeedError {
  readonly code = "CONFIG_INVALID";
  constructor({ what, packages }: Peer, cause: unknown) {
    super(`${what} needs ${packages.join(" and ")}, not installed here`, {
      hint: `npm install ${packages.join(" ")}`,
      cause,
    });
  }
}

interface Peer {
  /** "A destination of type kafka". */
  readonly what: string;
  /** As npm is asked for them. */
  readonly packages: readonly string[];
}

/** Libraries that only who has something of the kind installs. @throws PeerMissing: says how to install them */
export async function loadPeer<T>(peer: Peer, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new PeerMissing(peer, error);
  }
}
