/** Selects the language of an answer. */
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LANGUAGES, type Language, isLanguage } from '../texts/languages.ts';
import { type Dictionary, type Translated, translate } from '../texts/text.ts';
import { languageCookieOf } from './auth/cookies.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The dictionary of the reader's language; undefined for English. */
    words: Dictionary | undefined;
  }
}

/** Longer headers are cut off. */
const MAX_HEADER_CHARACTERS = 500;

const languageIn = (tag: string): Language | undefined => {
  const [primary] = tag.trim().toLowerCase().split('-');
  return isLanguage(primary) ? primary : undefined;
};

/** The preferred language of an Accept-Language header (RFC 9110 section 12.5.4). */
export function preferredLanguage(header: string): Language | undefined {
  const ranges = header
    .slice(0, MAX_HEADER_CHARACTERS)
    .split(',')
    .map((range) => {
      const [tag, ...parameters] = range.split(';');
      const quality = parameters.map((each) => /^\s*q=([0-9.]+)\s*$/i.exec(each)?.[1]).find(Boolean);
      return { language: languageIn(tag), quality: Number(quality ?? 1) };
    })
    .filter(({ language, quality }) => language !== undefined && quality > 0);
  return ranges.sort((a, b) => b.quality - a.quality)[0]?.language;
}

/**
 * The language that was chosen on the page (kept in a cookie, because an EventSource cannot set headers). Otherwise what the
 * client prefers. Otherwise English, as for scripts.
 */
export const languageOf = ({ cookie, 'accept-language': accepted = '' }: IncomingHttpHeaders): Language =>
  languageIn(languageCookieOf(cookie) ?? '') ?? preferredLanguage(accepted) ?? 'en';

/** Gives every request the dictionary of its reader. */
export function speakLanguages(app: FastifyInstance): void {
  app.decorateRequest('words', undefined);
  app.addHook('onRequest', async (request) => {
    const language = languageOf(request.headers);
    if (language !== 'en') request.words = await LANGUAGES[language]();
  });
}

/** The answer, with every text in it translated to the reader's language. */
export const translated = <T>({ words }: FastifyRequest, answer: T): Translated<T> =>
  translate(answer, words);
