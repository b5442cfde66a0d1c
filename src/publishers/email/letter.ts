import { footOf, plainText, titleOf } from "../alerting/plain-text.ts";
import type { AlertStory, Story } from "../alerting/story.ts";

/** What a mail says. */
export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function letterOf(story: Story): Letter {
  const { severity, headline, alerts, more } = story;
  const rest = more === 0 ? [] : [`<p>And ${more} more.</p>`];
  const told = alerts.map((alert) => htmlOf(alert, headline));
  return {
    subject: `${severity} ${headline}`,
    text: plainText(story),
    html: [`<h3>${escaped(titleOf(story))}</h3>`, ...told, ...rest].join("\n"),
  };
}

function htmlOf(alert: AlertStory, headline: string): string {
  const { summary, facts, todo, url } = alert;
  const steps = todo.map((step) => `<li>${withCode(escaped(step))}</li>`).join("");
  return [
    ...(headline.endsWith(summary) ? [] : [`<h4>${escaped(summary)}</h4>`]),
    ...facts.map(([name, text]) => `<p><b>${escaped(name)}:</b> ${escaped(text)}</p>`),
    ...(steps === "" ? [] : [`<p><b>What to do</b></p><ul>${steps}</ul>`]),
    `<p>${escaped(footOf(alert))}</p>`,
    ...(url === undefined ? [] : [`<p><a href="${escaped(url)}">Open in Nomad</a></p>`]),
  ].join("\n");
}

function withCode(html: string): string {
  return html.replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
