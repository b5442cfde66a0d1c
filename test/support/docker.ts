import { get } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";

const PATIENCE_MS = 1000;

/** Why no container can be started here; undefined where Docker answers. Costs next to nothing where there is none. */
export async function dockerMissing(): Promise<string | undefined> {
  // Another way to it than a socket is testcontainers' to find.
  if ((process.env["DOCKER_HOST"] ?? "") !== "") return undefined;
  const sockets = [
    "/var/run/docker.sock",
    join(process.env["XDG_RUNTIME_DIR"] ?? "/run/user/0", "docker.sock"),
    join(homedir(), ".docker/run/docker.sock"),
    join(homedir(), ".docker/desktop/docker.sock"),
  ];
  const answers = await Promise.all(sockets.map(pings));
  return answers.includes(true) ? undefined : "Docker does not answer";
}

function pings(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ socketPath, path: "/_ping", timeout: PATIENCE_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}
