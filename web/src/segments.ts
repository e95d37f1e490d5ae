// What a text costs on the air: schema/src/segments.rs, character for character. vectors.json holds what that counter
// gives; a test of the engine holds the file equal to it, and a test here this counter to the file.

export interface Count {
  readonly encoding: 'gsm7' | 'ucs2';
  /** Septets (GSM-7) or UTF-16 code units (UCS-2). */
  readonly units: number;
  readonly segments: number;
  /** Units that still fit into the last segment. */
  readonly left: number;
  /** Characters that GSM-7 does not have, each once: why the text is UCS-2. */
  readonly foreign: readonly string[];
}

const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const EXTENDED = '\f^{}\\[~]|€';
const WIDTH = new Map([...[...BASIC].map((c) => [c, 1] as const), ...[...EXTENDED].map((c) => [c, 2] as const)]);
const SIZES = { gsm7: { single: 160, part: 153 }, ucs2: { single: 70, part: 67 } } as const;

export function count(text: string): Count {
  const foreign = new Set<string>();
  for (const character of text) if (!WIDTH.has(character)) foreign.add(character);
  const encoding = foreign.size > 0 ? 'ucs2' : 'gsm7';
  const width = (c: string): number => (encoding === 'ucs2' ? c.length : (WIDTH.get(c) ?? 1));
  let units = 0;
  for (const character of text) units += width(character);
  const { single, part } = SIZES[encoding];
  if (units <= single) return { encoding, units, segments: 1, left: single - units, foreign: [...foreign] };
  let segments = 1;
  let used = 0;
  for (const character of text) {
    const wide = width(character);
    // A character of two units does not straddle two segments.
    if (used + wide > part) {
      segments += 1;
      used = 0;
    }
    used += wide;
  }
  return { encoding, units, segments, left: part - used, foreign: [...foreign] };
}

/** Characters that word processors put in, and what a telephone writes instead. */
const PLAIN: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '‘': "'", '’': "'", '‚': ',', '“': '"', '”': '"', '„': '"', '–': '-', '—': '-', '…': '...', '\u00a0': ' ', '\t': ' ', '•': '-', '´': "'", '`': "'",
  }),
);

/** The same text in characters that cost less, if that changes its encoding; else none. */
export function cheaper(text: string): string | null {
  const before = count(text);
  if (before.encoding === 'gsm7') return null;
  const plain = [...text].map((c) => PLAIN.get(c) ?? c).join('');
  return count(plain).encoding === 'gsm7' ? plain : null;
}
