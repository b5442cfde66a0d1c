import type { Indexed, Members, Nanos, Time } from "./stub-values.ts";

/** The stubs of what the feed watches only where it is told to. */
export interface MoreStubs {
  "node-pools": Indexed & {
    Name: string;
    Description: string;
    Meta?: Record<string, string> | null | undefined;
    SchedulerConfiguration?: Members | null | undefined;
    Hash?: Hash;
  };
  services: Members & {
    Namespace: string;
    ServiceName: string;
    /** Of all that are registered under this name, sorted. */
    Tags: string[] | null;
  };
  /** Never what it holds. */
  variables: Indexed & Dated & { Namespace: string; Path: string };
  "scaling-policies": Indexed & {
    ID: string;
    Namespace: string;
    Job: string;
    Group: string;
    Enabled: boolean;
    /** horizontal, vertical_mem, vertical_cpu */
    Type: string;
    Target: Record<string, string> | null;
  };
  "csi-volumes": Indexed &
    Dated &
    CsiHealth & {
      ID: string;
      Namespace: string;
      Name: string;
      ExternalID: string;
      AccessMode: string;
      AttachmentMode: string;
      CurrentReaders?: number | undefined;
      CurrentWriters?: number | undefined;
      Schedulable: boolean;
      PluginID: string;
      Provider: string;
      ResourceExhausted?: Time | undefined;
    };
  "csi-plugins": Indexed & CsiHealth & { ID: string; Provider: string };
  "host-volumes": Indexed &
    Dated & {
      ID: string;
      Namespace: string;
      Name: string;
      PluginID: string;
      NodePool: string;
      NodeID: string;
      CapacityBytes: number;
      /** pending, ready, unavailable */
      State: string;
    };
  "host-volume-claims": Indexed & {
    ID: string;
    Namespace: string;
    JobID: string;
    TaskGroupName: string;
    AllocID: string;
    VolumeID: string;
    VolumeName: string;
  };
  "acl-policies": Indexed & {
    Name: string;
    Description: string;
    JobACL?: Members | null | undefined;
    Hash?: Hash;
  };
  "acl-roles": Indexed & { ID: string; Name: string; Description: string; Policies?: Links; Hash?: Hash };
  /** Never its secret. */
  "acl-tokens": Indexed & {
    AccessorID: string;
    Name: string;
    /** client, management */
    Type: string;
    Policies?: string[] | null | undefined;
    Roles?: Links;
    Global: boolean;
    Hash?: Hash;
    CreateTime: string;
    ExpirationTime?: Time | undefined;
  };
  "acl-auth-methods": Indexed & {
    Name: string;
    /** OIDC, JWT */
    Type: string;
    Default: boolean;
    Hash?: Hash;
  };
  "acl-binding-rules": Indexed & { ID: string; Description: string; AuthMethod: string; Hash?: Hash };
  servers: Members & {
    Name: string;
    Addr: string;
    Port: number;
    /** alive, leaving, left, failed */
    Status: string;
    /** Whether it leads the region's servers. */
    Leader: boolean;
    /** build: its version */
    Tags: Record<string, string> | null;
  };
  autopilot: Members & {
    Name: string;
    Healthy: boolean;
    FailureTolerance: number;
    Leader?: string | undefined;
    Voters?: string[] | null | undefined;
    /** By their names. */
    Servers: Record<string, ServerHealth>;
  };
  scheduler: Members & {
    Name: string;
    /** binpack, spread */
    SchedulerAlgorithm?: string | undefined;
    PreemptionConfig?: Record<string, boolean> | null | undefined;
    MemoryOversubscriptionEnabled?: boolean | undefined;
    RejectJobRegistration?: boolean | undefined;
    PauseEvalBroker?: boolean | undefined;
    CreateIndex?: number | undefined;
    ModifyIndex?: number | undefined;
  };
  license: Members & {
    Name: string;
    ConfigOutdated: boolean;
    LicenseID?: string | undefined;
    ExpirationTime?: Time | undefined;
    TerminationTime?: Time | undefined;
    Terminated?: boolean | undefined;
  };
  quotas: Indexed & { Name: string; Description?: string | undefined };
  "sentinel-policies": Indexed & {
    Name: string;
    Description?: string | undefined;
    Scope?: string | undefined;
    EnforcementLevel?: string | undefined;
  };
  recommendations: Indexed & {
    ID: string;
    Namespace: string;
    JobID?: string | undefined;
    Group?: string | undefined;
    Task?: string | undefined;
    Resource?: string | undefined;
    Value?: number | undefined;
  };
}

/** Of the whole object, in base64. */
type Hash = string | null | undefined;
type Links = (Members & { Name: string })[] | null | undefined;

interface Dated {
  CreateTime?: Nanos | undefined;
  ModifyTime?: Nanos | undefined;
}

interface CsiHealth {
  ControllerRequired: boolean;
  ControllersHealthy: number;
  ControllersExpected: number;
  NodesHealthy: number;
  NodesExpected: number;
}

type ServerHealth = Members & {
  ID: string;
  Name: string;
  Address: string;
  SerfStatus: string;
  Version: string;
  Leader: boolean;
  Healthy: boolean;
  Voter: boolean;
  StableSince: string;
};
