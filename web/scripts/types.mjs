// Types of REST, events and frames, made from the engine's OpenAPI document (openapi.json, which `deskwire openapi`
// prints and a test of the engine holds equal). `--check` writes nothing and fails when they differ.
import { readFileSync, writeFileSync } from 'node:fs';
import openapi, { astToString } from 'openapi-typescript';

const document = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/generated/api.ts', import.meta.url);
const head = '// Made by scripts/types.mjs from openapi.json. Do not edit.\n\n';
const made = head + astToString(await openapi(document, { alphabetize: true, rootTypes: false }));

if (process.argv.includes('--check')) {
  let held = '';
  try {
    held = readFileSync(target, 'utf8');
  } catch {
    // Missing counts as different.
  }
  if (held !== made) {
    console.error('src/generated/api.ts is not what openapi.json says: npm run types');
    process.exit(1);
  }
} else {
  writeFileSync(target, made);
}
