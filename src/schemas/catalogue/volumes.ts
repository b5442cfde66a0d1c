import { NEVER_NAME, NEVER_UUID, type Entry } from "./entry.ts";

const HOST_VOLUME_READ = [["host-volume-read"]] as const;

/** Storage: of CSI plugins, and of the nodes themselves. */
export const VOLUMES = {
  "csi-volumes": {
    noun: "csi-volume",
    path: "/v1/volumes",
    query: { type: "csi" },
    namespaced: true,
    keyField: "ID",
    nameField: "Name",
    grants: [["csi-list-volume"], ["csi-read-volume"], ["csi-mount-volume"], ["list-jobs"]],
    neverPrefix: NEVER_NAME,
    timeFields: ["ModifyTime"],
    references: {},
  },
  "csi-plugins": {
    noun: "csi-plugin",
    path: "/v1/plugins",
    query: { type: "csi" },
    namespaced: false,
    keyField: "ID",
    nameField: "ID",
    grants: [["plugin:list"], ["plugin:read"]],
    neverPrefix: NEVER_NAME,
    timeFields: [],
    references: {},
  },
  "host-volumes": {
    noun: "host-volume",
    path: "/v1/volumes",
    query: { type: "host" },
    namespaced: true,
    keyField: "ID",
    nameField: "Name",
    grants: HOST_VOLUME_READ,
    refusedAt: "/v1/volumes/claims",
    neverPrefix: NEVER_UUID,
    timeFields: ["ModifyTime"],
    references: { node: "NodeID" },
  },
  // A claim that goes with its job moves no index: it is missed when the query's wait is over.
  "host-volume-claims": {
    noun: "host-volume-claim",
    path: "/v1/volumes/claims",
    namespaced: true,
    keyField: "ID",
    nameField: "VolumeName",
    grants: HOST_VOLUME_READ,
    neverPrefix: NEVER_UUID,
    timeFields: [],
    references: { job: "JobID", group: "TaskGroupName" },
  },
} as const satisfies Record<string, Entry>;
