/** The Date that the proxy adds to an answer without one: directly before its own Via. */
const ADDED_DATE =
  /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT(?=\r\nVia: 1\.[01] tombolo\r\n)/g;

/** For tests that compare answers to the byte. */
export const withoutAddedDate = (text: string): string => text.replace(ADDED_DATE, '');
