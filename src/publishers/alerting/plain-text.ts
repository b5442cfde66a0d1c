import type { AlertStory, Story } from "./story.ts";

/** The headline and whether it is over. */
export function titleOf({ isOver, headline }: Pick<Story, "isOver" | "headline">): string {
  return isOver ? `Resolved: ${headline}` : headline;
}

/** All of it as text, paragraphs with empty lines between. */
export function plainText(story: Story): string {
  const { alerts, headline, more } = story;
  const rest = more === 0 ? [] : [`And ${more} more.`];
  return [titleOf(story), ...alerts.map((alert) => textOf(alert, headline)), ...rest].join("\n\n");
}

/** What identifies it, at its end. */
export function footOf({ rule, about, startsAt, end }: AlertStory): string {
  const time = end ?? `since ${startsAt.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `${rule}, ${time}: ${about}`;
}

function textOf(alert: AlertStory, headline: string): string {
  const { summary, facts, todo, url } = alert;
  return [
    ...(headline.endsWith(summary) ? [] : [`* ${summary}`]),
    ...facts.map(([name, text]) => `${name}: ${text}`),
    ...(todo.length === 0 ? [] : [["What to do", ...todo.map((step) => `- ${step}`)].join("\n")]),
    [footOf(alert), ...(url === undefined ? [] : [url])].join("\n"),
  ].join("\n\n");
}
