import { defineConfig } from "vite";

// One file that Home Assistant serves as it is: no chunks, no names that change, the same on every machine.
export default defineConfig({
  build: {
    target: "es2022",
    outDir: "bundle",
    emptyOutDir: true,
    modulePreload: false,
    lib: {
      entry: "src/index.ts",
      formats: ["es"],
      fileName: () => "echonet-card.js",
    },
  },
});
