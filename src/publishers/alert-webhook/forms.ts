/** An Adaptive Card, as workflows of Microsoft Teams take it. Its runs of text are no markup, whoever names a job. */
const TEAMS = `{
  "type": "message",
  "attachments": [{
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {
      "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
      "type": "AdaptiveCard",
      "version": "1.4",
      "msteams": { "width": "Full" },
      "body": [
        { "type": "RichTextBlock", "inlines": [{
          "type": "TextRun", "text": "{{ notification.title }}", "weight": "Bolder", "size": "Medium",
          "color": "{% if notification.state == "resolved" %}Good{% elsif notification.severity == "WARN" %}Warning{% elsif notification.severity == "INFO" %}Accent{% else %}Attention{% endif %}"
        }] }{% for alert in notification.told %},
        { "type": "RichTextBlock", "inlines": [
          { "type": "TextRun", "text": "{{ alert.rule }}: {{ alert.summary }}" }
        ] }{% for fact in alert.facts %},
        { "type": "RichTextBlock", "spacing": "Small", "inlines": [
          { "type": "TextRun", "text": "{{ fact.name }}: ", "weight": "Bolder" },
          { "type": "TextRun", "text": "{{ fact.text }}" }
        ] }{% endfor %}{% for step in alert.todo %},
        { "type": "RichTextBlock", "spacing": "Small", "inlines": [
          { "type": "TextRun", "text": "→ {{ step }}" }
        ] }{% endfor %},
        { "type": "RichTextBlock", "spacing": "Small", "inlines": [
          { "type": "TextRun", "text": "{{ alert.about }}, {{ alert.end | default: alert.since }}", "isSubtle": true, "size": "Small" }
        ] }{% endfor %}
      ]{% if notification.url %},
      "actions": [{ "type": "Action.OpenUrl", "title": "Open in Nomad", "url": "{{ notification.url }}" }]{% endif %}
    }
  }]
}`;

/** An embed of a Discord webhook; nobody is mentioned, and no words are a link, whoever names a job. */
const DISCORD = `{
  "username": "nomad-changefeed",
  "allowed_mentions": { "parse": [] },
  "embeds": [{
    "title": "{{ notification.title | replace: "](", "]\\\\(" | truncate: 250 }}",{% if notification.url %}
    "url": "{{ notification.url }}",{% endif %}
    "color": {% if notification.state == "resolved" %}3066993{% elsif notification.severity == "WARN" %}15105570{% elsif notification.severity == "INFO" %}3447003{% else %}15158332{% endif %},
    "description": "{{ notification.text | replace: "](", "]\\\\(" | truncate: 4000 }}"
  }]
}`;

/** Templates that come with the program. */
export const FORMS = { teams: TEAMS, discord: DISCORD } as const;
