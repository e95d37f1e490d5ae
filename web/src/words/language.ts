// Which language: the person's choice in this browser, else the browser's own. Times and numbers follow it.
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

/** The whole page is in one language: it loads anew. What was typed is kept. */
export function chooseLanguage(to: Language | null): void {
  keep('language', to);
  location.reload();
}
