import { z } from "zod";
import { count, flag, indexes, text, time, times } from "./values.ts";

const health = {
  ControllerRequired: flag,
  ControllersHealthy: count,
  ControllersExpected: count,
  NodesHealthy: count,
  NodesExpected: count,
};

export const VOLUME_STUBS = {
  "csi-volumes": z.looseObject({
    ID: text,
    Namespace: text,
    Name: text,
    ExternalID: text,
    AccessMode: text,
    AttachmentMode: text,
    CurrentReaders: count.optional(),
    CurrentWriters: count.optional(),
    Schedulable: flag,
    PluginID: text,
    Provider: text,
    ...health,
    ResourceExhausted: time.optional(),
    ...indexes,
    ...times,
  }),
  "csi-plugins": z.looseObject({ ID: text, Provider: text, ...health, ...indexes }),
  "host-volumes": z.looseObject({
    ID: text,
    Namespace: text,
    Name: text,
    PluginID: text,
    NodePool: text,
    NodeID: text,
    CapacityBytes: count,
    State: text.describe("pending, ready, unavailable"),
    ...indexes,
    ...times,
  }),
  "host-volume-claims": z.looseObject({
    ID: text,
    Namespace: text,
    JobID: text,
    TaskGroupName: text,
    AllocID: text,
    VolumeID: text,
    VolumeName: text,
    ...indexes,
  }),
};
