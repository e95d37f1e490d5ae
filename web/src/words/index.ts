// The catalogue in use. English comes with the page, another language with its own file.
import { en, type Words } from './en';
import { language } from './language';

export const words: Words = language === 'de' ? (await import('./de')).de : en;
