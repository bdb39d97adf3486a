import { defineConfig } from "vite";

// JSX by esbuild, which Vite brings: no plugin is needed.
export default defineConfig({ esbuild: { jsx: "automatic" }, build: { target: "es2022" } });
