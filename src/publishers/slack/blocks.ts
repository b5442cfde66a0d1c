import type { Severity } from "../../schemas/severity.ts";
import type { AlertMessage } from "../alerting/alert-destination.ts";
import { titleOf } from "../alerting/plain-text.ts";
import { cut, type AlertStory, type Story } from "../alerting/story.ts";
import { instanceOf } from "../../routing/notifications.ts";

/** What a message consists of: `text` is what a phone shows. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly object[];
}

const MARKS: Readonly<Record<Severity, string>> = {
  FATAL: "🚨",
  ERROR: "🔴",
  WARN: "🟠",
  INFO: "🔵",
  DEBUG: "⚪",
  TRACE: "⚪",
};
const OVER = "🟢";
/** Characters of one block's text; more is refused. */
const MAX_TEXT = 3000;

/** What stands in the channel, and is kept up to date. */
export function messageOf(story: Story): SlackMessage {
  const { isOver, severity, headline, alerts, more } = story;
  const title = titleOf(story);
  const text = `${isOver ? OVER : MARKS[severity]} ${title}`;
  const told = alerts.flatMap((alert) => [
    ...(headline.endsWith(alert.summary) ? [] : [section(line(alert))]),
    ...blocksOf(alert),
  ]);
  return {
    text: escaped(text),
    blocks: [
      section(`${isOver ? OVER : MARKS[severity]} *${escaped(title)}*`),
      ...told,
      ...(more > 0 ? [context(`and ${more} more`)] : []),
    ],
  };
}

/** What stands in the thread: what is new since the last message of the group. */
export function replyOf(message: AlertMessage, story: Story): string {
  if (message.isRepeat) return `${MARKS[story.severity]} Still firing: ${escaped(story.headline)}`;
  const { told } = message.group;
  const added = message.firing.filter((alert) => told[instanceOf(alert)] === undefined);
  const ended = story.alerts.filter(({ isFiring }) => !isFiring);
  const lines = [
    ...added
      .slice(0, MAX_LINES)
      .map(({ severity, summary }) => `${MARKS[severity]} ${escaped(cut(summary, 300))}`),
    ...ended.map((alert) => line(alert)),
    `${added.length} began, ${message.resolved.length} ended, ${message.firing.length} firing`,
  ];
  return lines.join("\n");
}

const MAX_LINES = 5;

function blocksOf({ rule, about, startsAt, end, facts, todo, url }: AlertStory): object[] {
  const told = facts.map(([name, text]) => `*${escaped(name)}:* ${escaped(text)}`).join("\n");
  const steps = todo.map((step) => `• ${escaped(step)}`).join("\n");
  const link = url === undefined ? "" : ` · <${escaped(url)}|Open in Nomad>`;
  return [
    ...(told === "" ? [] : [section(told)]),
    ...(steps === "" ? [] : [section(`*What to do*\n${steps}`, false)]),
    context(
      `${escaped(rule)} · ${escaped(about)} · ${end === undefined ? `since ${dateOf(startsAt)}` : escaped(end)}${link}`,
    ),
  ];
}

function line({ isFiring, severity, summary, end }: AlertStory): string {
  return isFiring
    ? `${MARKS[severity]} *${escaped(summary)}*`
    : `${OVER} ${escaped(`${summary}: ${end ?? ""}`)}`;
}

function section(text: string, verbatim = true): object {
  return { type: "section", text: markup(text, verbatim) };
}

function context(text: string): object {
  return { type: "context", elements: [markup(text)] };
}

/** `verbatim`: only what is written as a link is one, and no address or channel that a name holds. */
function markup(text: string, verbatim = true): object {
  return { type: "mrkdwn", text: bounded(text), verbatim };
}

function bounded(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1).toWellFormed()}…`;
}

/** Each reader sees it in the time zone of his own. */
function dateOf(date: Date): string {
  const fallback = `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `<!date^${Math.floor(date.getTime() / 1000)}^{date_short_pretty} {time}|${fallback}>`;
}

/** Nobody is mentioned, and nothing linked, by who names a job. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
