// What a search found, cut for one line: the found word stands near its beginning, whatever was written before it.
import type { SearchHit } from '../types';

type Piece = SearchHit['snippet'][number];

/** Characters before the first found word: with them it is still in view in the narrowest list. */
const LEAD = 16;

export function aroundFound(snippet: readonly Piece[]): readonly Piece[] {
  const at = snippet.findIndex((piece) => piece.hit === true);
  if (at === -1) return snippet;
  const before = [...snippet.slice(0, at).map((piece) => piece.text).join('')];
  if (before.length <= LEAD) return snippet;
  const near = before.slice(-LEAD).join('');
  // At a word, if one begins in it.
  const word = near.slice(near.search(/\s/) + 1);
  return [{ text: `…${word === '' ? near : word}`, hit: false }, ...snippet.slice(at)];
}
