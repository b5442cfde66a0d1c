import { expect, it } from "vitest";
import { accessibilityFindings } from "../support/console/accessibility.ts";
import { describeConsole } from "../support/console/console-test.ts";
import { until } from "../support/until.ts";

/** What a page does wrong, and how that is noted. */
const WRONGS: readonly (readonly [script: string, noted: RegExp])[] = [
  ["setTimeout(() => { throw new Error('of the test'); })", /^error: Error: of the test/],
  ["void setTimeout(() => Promise.reject(new Error('rejected')))", /^error: Error: rejected/],
  ["console.warn('careful')", /^console warning: careful/],
  ["void fetch('http://example.com/x').catch(() => 0)", /^policy: connect-src http:\/\/example.com/],
  ["document.head.appendChild(document.createElement('style')).textContent = 'a{}'", /^policy: style-src/],
  ["void fetch('nothing')", /^console error: .* 404 .*nothing/],
];

describeConsole("a test of the console", ({ open, startBed }) => {
  it("is told of all that is wrong with its page, and of what keeps people from using it", async () => {
    const { page, problems } = await open(await startBed(), "#/alerts");
    await page.getByText("prod").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(problems.all).toEqual([]);
    for (const [script, noted] of WRONGS) {
      await page.evaluate(script);
      await until(`${noted} is noted`, () => problems.all.some((problem) => noted.test(problem)));
    }
    problems.tolerate(/./);
    await page.evaluate("document.querySelector('main').appendChild(document.createElement('button'))");
    expect(await accessibilityFindings(page)).toEqual([expect.stringMatching(/^button-name: /)]);
  });
});
