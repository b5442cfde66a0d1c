import { hash } from "node:crypto";
import type { AlertMessage } from "../alerting/alert-destination.ts";
import type { AlertStory, Story } from "../alerting/story.ts";

/** What a mail says. */
export interface Letter {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function letterOf(story: Story): Letter {
  const { isOver, severity, headline, alerts, more } = story;
  const title = isOver ? `Resolved: ${headline}` : headline;
  const rest = more === 0 ? [] : [`And ${more} more.`];
  return {
    subject: `${severity} ${headline}`,
    text: [title, ...alerts.map((alert) => textOf(alert, headline)), ...rest].join("\n\n"),
    html: [`<h3>${escaped(title)}</h3>`, ...alerts.map((alert) => htmlOf(alert, headline)), ...rest].join(
      "\n",
    ),
  };
}

/** The same for each attempt at a message, so that one that arrives twice is seen once. */
export function messageId(source: string, { group }: AlertMessage, domain: string): string {
  const { key, lastSentAt, waitsSince } = group;
  const name = hash("sha256", JSON.stringify([source, key, lastSentAt, waitsSince]), "base64url");
  return `<nomad-changefeed.${name}@${domain}>`;
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

function footOf({ rule, about, startsAt, end }: AlertStory): string {
  const time = end ?? `since ${startsAt.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `${rule}, ${time}: ${about}`;
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
