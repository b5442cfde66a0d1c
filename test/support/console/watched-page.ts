import type { BrowserContext, Page } from "playwright-core";

/** Chromium warns where one leaves a page that still connects. */
const NO_PROBLEM = /WebSocket is closed before the connection is established/;

/** Runs in the page, as everything that is a text here. */
const REPORTS_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) => {
  const { violatedDirective, blockedURI, sample } = event;
  reportViolation([violatedDirective, blockedURI, sample].join(" "));
});`;

/** What is wrong with a page that nobody may see: what its console says, where it asks, what its policy refuses. */
export class PageProblems {
  readonly #problems: string[] = [];
  readonly #tolerated: RegExp[] = [NO_PROBLEM];
  readonly #origin: string;

  private constructor(origin: string) {
    this.#origin = origin;
  }

  /** Watches all pages of the context, before it has any. */
  static async watch(context: BrowserContext, origin: string): Promise<PageProblems> {
    const problems = new PageProblems(origin);
    // Some of what the policy refuses is said to the page alone.
    await context.exposeFunction("reportViolation", (text: string) => problems.#note(`policy: ${text}`));
    await context.addInitScript(REPORTS_VIOLATIONS);
    context.on("page", (page) => problems.#watchPage(page));
    return problems;
  }

  /** What a test brings about itself is no problem. */
  tolerate(...patterns: RegExp[]): void {
    this.#tolerated.push(...patterns);
  }

  get all(): readonly string[] {
    return this.#problems.filter((problem) => !this.#tolerated.some((pattern) => pattern.test(problem)));
  }

  #watchPage(page: Page): void {
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      this.#note(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    // Rejections that nobody handles come here too.
    page.on("pageerror", (error) => this.#note(`error: ${error.stack ?? error.message}`));
    page.on("crash", () => this.#note("the page crashed"));
    page.on("request", (request) => this.#asked(request.url()));
    page.on("websocket", (socket) => this.#asked(socket.url().replace(/^ws/, "http")));
  }

  #asked(url: string): void {
    if (url.startsWith("data:") || url.startsWith("blob:") || new URL(url).origin === this.#origin) return;
    this.#note(`asked another host: ${url}`);
  }

  #note(problem: string): void {
    this.#problems.push(problem);
  }
}
