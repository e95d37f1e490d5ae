// Compares our segment count with npm `sms-segments-calculator` over a corpus, one text a line.
// Usage: npm install --prefix DIR sms-segments-calculator@1.3.0
//        NODE_PATH=DIR/node_modules node scripts/compare-segments.mjs CORPUS
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const corpus = process.argv[2];
if (!corpus) {
  console.error("usage: compare-segments.mjs CORPUS");
  process.exit(64);
}
const { SegmentedMessage } = createRequire(import.meta.url)("sms-segments-calculator");
const lines = readFileSync(corpus, "utf8").split("\n").filter((line) => line.length > 0);
const arguments_ = ["run", "--quiet", "-p", "schema", "--example", "segments"];
const ours = execFileSync("cargo", arguments_, { input: lines.join("\n") + "\n", maxBuffer: 1 << 28 })
  .toString()
  .trimEnd()
  .split("\n");

let different = 0;
lines.forEach((line, index) => {
  const theirs = new SegmentedMessage(line, "auto", false);
  const expected = `${theirs.encodingName === "GSM-7" ? "Gsm7" : "Ucs2"} ${theirs.segmentsCount}`;
  const [encoding, , segments] = ours[index].split(" ");
  if (`${encoding} ${segments}` !== expected) {
    different += 1;
    console.log(`line ${index + 1}: ours ${encoding} ${segments}, theirs ${expected}`);
  }
});
console.log(`${lines.length} texts compared, ${different} different`);
process.exit(different === 0 ? 0 : 1);
