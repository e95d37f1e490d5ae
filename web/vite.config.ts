// How the page is built: one script, one style, names with hashes. `npm run dev` serves it beside a running engine.
import { defineConfig } from 'vitest/config';

const engine = process.env['DESKWIRE_URL'] ?? 'http://localhost:8080';

// The engine lets in only its own page: through this proxy the page's requests are the engine's own.
const proxy = {
  target: engine,
  changeOrigin: true,
  headers: { origin: engine },
  ws: true,
};

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { port: 5173, proxy: { '/v1': proxy, '/page': proxy } },
  preview: { port: 4173, proxy: { '/v1': proxy, '/page': proxy } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
