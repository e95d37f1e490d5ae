// Clears what earlier builds left, and lays brotli and gzip beside each file that shrinks: the engine serves them as they are.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = readFileSync(join(dist, 'index.html'), 'utf8');
const assets = join(dist, 'assets');
const styles = readdirSync(assets).filter((name) => name.endsWith('.css') && manifest.includes(name));
const named = [manifest, ...styles.map((name) => readFileSync(join(assets, name), 'utf8'))].join('\n');
const scripts = readdirSync(assets).filter((name) => name.endsWith('.js') && manifest.includes(name));
const known = named + scripts.map((name) => readFileSync(join(assets, name), 'utf8')).join('\n');

for (const name of readdirSync(assets)) {
  const old = !known.includes(name) || name.endsWith('.br') || name.endsWith('.gz');
  if (old) rmSync(join(assets, name));
}
for (const path of [join(dist, 'index.html'), ...readdirSync(assets).map((name) => join(assets, name))]) {
  if (!/\.(html|js|css|svg)$/.test(path) || !statSync(path).isFile()) continue;
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  const gzip = gzipSync(bytes, { level: 9 });
  if (brotli.length < bytes.length) writeFileSync(`${path}.br`, brotli);
  if (gzip.length < bytes.length) writeFileSync(`${path}.gz`, gzip);
}
