/** Whether `Accept` prefers a page to JSON, as browsers do for what they show, and nobody else. */
export function prefersHtml(accept: string): boolean {
  const html = weightIn(accept, "text/html");
  return html > 0 && html > weightIn(accept, "application/json");
}

/** Whether `Accept-Encoding` names a coding. */
export function takesEncoding(acceptEncoding: string, coding: "br" | "gzip"): boolean {
  return weightIn(acceptEncoding, coding) > 0;
}

/** From 0 to 1: what a list gives a name that stands in it; 0 where it does not. */
function weightIn(list: string, name: string): number {
  for (const part of list.toLowerCase().split(",")) {
    const [first = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (first !== name) continue;
    const weight = parameters.find((text) => text.startsWith("q="))?.slice(2) ?? "1";
    return /^[01](\.\d*)?$|^\.\d+$/.test(weight) ? Number(weight) : 0;
  }
  return 0;
}
