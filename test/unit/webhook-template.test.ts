import { describe, expect, it } from "vitest";
import { BodyTemplate, TemplateFailed } from "../../src/publishers/webhook/template.ts";

const EVENT = JSON.stringify({
  type: "nomad.job.updated",
  data: {
    resource: { name: 'we"b\n\\', namespace: "default" },
    signals: ["job.stopped", "job.updated"],
    after: { ID: "web", Stop: true },
  },
}).replace('"Stop":true', '"Stop":true,"SubmitTime":1795436878072000001');

function rendered(template: string, contentType = "application/json"): string {
  return new BodyTemplate(template, contentType).render(EVENT).toString();
}

describe("a template of a JSON body", () => {
  it("keeps a text between its quotes, whatever a job is named", () => {
    const body = rendered('{"text": "{{ event.data.resource.name }} is {{ event.type | upcase }}"}');
    expect(JSON.parse(body)).toEqual({ text: 'we"b\n\\ is NOMAD.JOB.UPDATED' });
  });

  it("puts objects and lists in as JSON, with every digit", () => {
    expect(rendered('{"a": {{ event.data.after }}, "s": {{ event.data.signals | json }}}')).toBe(
      '{"a": {"ID":"web","Stop":true,"SubmitTime":1795436878072000001}, "s": ["job.stopped","job.updated"]}',
    );
  });

  it("writes numbers and truths as they are, and nothing for what is not there", () => {
    expect(
      rendered(
        '[{{ event.data.after.SubmitTime }}, {{ event.data.after.Stop }}, "{{ event.data.no.such }}"]',
      ),
    ).toBe('[1795436878072000001, true, ""]');
  });

  it("loops and decides", () => {
    const list =
      '[{% for s in event.data.signals %}{% unless forloop.first %},{% endunless %}"{{ s }}"{% endfor %}]';
    expect(rendered(list)).toBe('["job.stopped","job.updated"]');
  });
});

it("a template of another type of body is not escaped", () => {
  expect(rendered("{{ event.data.resource.name }} {{ event.data.signals | join: ', ' }}", "text/plain")).toBe(
    'we"b\n\\ job.stopped, job.updated',
  );
});

describe("a template fails", () => {
  it.each([
    ["that does not parse", "{{ event.type", "not closed"],
    ["with a filter there is not", "{{ event.type | nothing }}", "undefined filter: nothing"],
    ["that makes no JSON", '{"text": {{ event.type }}}', "JSON"],
    [
      "that runs for too long",
      "{% for i in (1..9999999) %}{% for j in (1..9999999) %}{% endfor %}{% endfor %}",
      "limit",
    ],
    [
      "that takes too much memory",
      "{% assign a = event.type %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
      "limit",
    ],
  ])("%s", (_what, template, words) => {
    expect(() => rendered(template)).toThrow(TemplateFailed);
    expect(() => rendered(template)).toThrow(words);
  });

  it.each(["include", "render", "layout", "block"])("that reads a file: %s", (tag) => {
    expect(() => rendered(`{% ${tag} "/etc/hostname" %}`)).toThrow(`tag "${tag}" not found`);
  });

  it.each([
    "event.constructor",
    "event.__proto__",
    "event.data.signals.constructor",
    "process",
    "globalThis",
    "this",
  ])("to reach what is not in the event: %s is nothing", (name) => {
    expect(rendered(`"{{ ${name} }}"`)).toBe('""');
  });
});
