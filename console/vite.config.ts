import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const CLIENT = fileURLToPath(new URL("../packages/client/src/browser.ts", import.meta.url));

const BRIDGE = "http://127.0.0.1:4650";

export default defineConfig({
  // The page is found below whatever path a proxy puts it.
  base: "./",
  root: fileURLToPath(new URL(".", import.meta.url)),
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "nomad-changefeed-client": CLIENT } },
  build: {
    target: "es2023",
    outDir: "dist",
    emptyOutDir: true,
    // An asset inside the page would be a data: address, which the page's policy does not let in.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Whoever takes the package has with the libraries what their licences ask for.
    license: { fileName: "licenses.md" },
  },
  server: {
    // `npm run dev -w console` beside a bridge: the page reloads as it is written.
    proxy: {
      "/v1": { target: BRIDGE, ws: true },
      // What is no page is the bridge's: `/` as JSON.
      "^/$": {
        target: BRIDGE,
        bypass: ({ headers, url }) => (headers.accept?.includes("html") ? url : undefined),
      },
    },
  },
});
