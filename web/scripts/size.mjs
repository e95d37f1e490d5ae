// The page's weight: all script of the first load, gzipped, is at most 150 KB.
import { readdirSync, statSync } from 'node:fs';

const assets = new URL('../dist/assets/', import.meta.url);
const sum = (ending) =>
  readdirSync(assets)
    .filter((name) => name.endsWith(ending))
    .reduce((bytes, name) => bytes + statSync(new URL(name, assets)).size, 0);
const script = sum('.js.gz');
console.log(`script ${(script / 1000).toFixed(1)} KB gzipped (${(sum('.js.br') / 1000).toFixed(1)} KB brotli), style ${(sum('.css.gz') / 1000).toFixed(1)} KB gzipped`);
if (script > 150_000) {
  console.error('the script is larger than 150 KB gzipped');
  process.exit(1);
}
