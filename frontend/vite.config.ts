import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "/static/read/",
  build: {
    outDir: "../src/overread/web/static/read",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 3100,
    // The policy of the page forbids data: scripts and inline styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 30_000 },
});
