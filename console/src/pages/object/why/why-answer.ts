import { api } from "../../../feed/api.ts";

/** What `GET /v1/why` answers: PROTOCOL.md section 11. */
export interface WhyAnswer {
  readonly subject: string;
  /** Cursor at which it is true. */
  readonly asOf: string;
  /** The object asked about first. */
  readonly nodes: readonly WhyNode[];
  /** From cause to effect. */
  readonly edges: readonly WhyEdge[];
  /** Sentences, oldest first. */
  readonly story: readonly WhyStep[];
  readonly complete: boolean;
  /** What retention, rights or limits keep from it, in words. */
  readonly missing: readonly string[];
}

export interface WhyNode {
  readonly subject: string;
  readonly kind: string;
  readonly label: string;
  readonly state: string;
  readonly time: string | null;
  readonly cursor?: string;
}

export interface WhyEdge {
  readonly from: string;
  readonly to: string;
  readonly relation: string;
  readonly words: string;
}

export interface WhyStep {
  readonly time: string;
  readonly subject: string;
  readonly cursor?: string;
  readonly words: string;
  readonly severity: string;
}

/** @throws RequestFailed */
export async function readWhy(subject: string, at: string, gone: AbortSignal): Promise<WhyAnswer> {
  return (await api(gone).why(subject, at === "" ? {} : { at })) as WhyAnswer;
}
