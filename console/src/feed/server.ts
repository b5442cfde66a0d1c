/** Where the bridge is: where the page came from, below whatever path a proxy puts it. */
export const SERVER_URL = new URL(".", location.href.replace(/#.*$/, "")).href;
