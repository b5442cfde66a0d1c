import { RequestFailed } from "nomad-changefeed-client";
import { api } from "../../feed/api.ts";

/** What the bridge says is wrong with an expression, and where, in characters from 1. */
export interface ExpressionProblem {
  readonly words: string;
  readonly position: number | undefined;
}

/** Has the bridge read the expression; undefined where nothing is wrong, or nothing can be told. */
export async function checkExpression(
  text: string,
  gone: AbortSignal,
): Promise<ExpressionProblem | undefined> {
  if (text.trim() === "") return undefined;
  try {
    await api(gone).events({ filter: text, cursor: "latest", limit: 1 });
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestFailed) || error.status !== 400) return undefined;
    return { words: error.message.split("\n")[0] ?? "", position: error.position };
  }
}
