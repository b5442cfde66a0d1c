import { ChangefeedError } from "../schemas/errors.ts";

/** A library that this type of destination needs is not installed. */
class PeerMissing extends ChangefeedError {
  readonly code = "CONFIG_INVALID";
  constructor({ type, packages }: Peer, cause: unknown) {
    super(`A destination of type ${type} needs ${packages.join(" and ")}, not installed here`, {
      hint: `npm install ${packages.join(" ")}`,
      cause,
    });
  }
}

interface Peer {
  readonly type: string;
  /** As npm is asked for them. */
  readonly packages: readonly string[];
}

/** Libraries that only who has such a destination installs. @throws PeerMissing: says how to install them */
export async function loadPeer<T>(peer: Peer, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new PeerMissing(peer, error);
  }
}
