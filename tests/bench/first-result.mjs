// Opens the page of one runtime in a browser that has just started, and waits for its first result.

/** Longest wait for a first result, of software adapters too. */
export const LIMIT_MILLIS = 180_000;

/** A browser that has just started loads its own first page, which would compete with the one that is timed. */
const BROWSER_MILLIS = 1500;

/** Waits until a browser that has just started is at rest. */
export function browserRests() {
  return new Promise((resolve) => setTimeout(resolve, BROWSER_MILLIS));
}

/**
 * Visits a page of the bench.
 * @returns {Promise<{millis?: number, reason?: string}>} from navigation to the first result, or why there is none
 */
export async function firstResult(browser, url) {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(LIMIT_MILLIS);
  await tab.goto(url);
  await tab.waitForFunction(() => window.cold !== undefined);
  return tab.evaluate(() => window.cold);
}
