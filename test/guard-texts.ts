/**
 * Loaded into every test file: a text (src/texts/text.ts) put into a string without being told becomes "[object Object]", which
 * the compiler lets pass. Here it is an error.
 */
const usual = Object.prototype.toString;
Object.prototype.toString = function () {
  if (typeof (this as { say?: unknown } | null)?.say === 'string') {
    throw new TypeError(
      `the text ${JSON.stringify(this)} was made a string: tell it with english() or tell()`,
    );
  }
  return usual.call(this);
};
