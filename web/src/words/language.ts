// Which language: the person's choice, else the browser's own. Times and numbers follow it. The engine keeps the choice; the
// browser remembers it, so that the page is in it from the first moment, also where somebody signs in.
import { keep, kept } from '../net/keep';

/** Each by its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

function isLanguage(given: unknown): given is Language {
  return typeof given === 'string' && Object.hasOwn(LANGUAGES, given);
}

/** The first of the browser's languages that there is a catalogue for. */
export function pick(choice: unknown, offered: readonly string[]): Language {
  if (isLanguage(choice)) return choice;
  const bases = offered.map((tag) => tag.toLowerCase().split('-')[0]);
  return bases.find(isLanguage) ?? 'en';
}

/** How times and numbers are written: the browser's own way of the language, if it has one (en-GB, de-AT). */
export function localeOf(language: Language, offered: readonly string[]): string {
  return offered.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
}

const offered: readonly string[] = typeof navigator === 'undefined' ? ['en'] : navigator.languages;
export const choice: Language | null = isLanguage(kept('language')) ? (kept('language') as Language) : null;
export const language = pick(choice, offered);
export const locale = localeOf(language, offered);

/** What the engine keeps for whoever is signed in. Where the page is in another language it loads anew; what was typed is kept.
 * A browser that remembers nothing stays as it is: it would load for ever. */
export function adopt(given: unknown): void {
  const to = isLanguage(given) ? given : null;
  if (to === (isLanguage(kept('language')) ? kept('language') : null)) return;
  if (keep('language', to) && pick(to, offered) !== language) location.reload();
}
