/**
 * Loaded into every test file. A text (src/texts/text.ts) that is put into a string without translation becomes "[object
 * Object]", which the compiler does not detect. Here it is an error.
 */
const usual = Object.prototype.toString;
Object.prototype.toString = function () {
  if (typeof (this as { say?: unknown } | null)?.say === 'string') {
    throw new TypeError(
      `the text ${JSON.stringify(this)} was made a string: translate it with english() or translate()`,
    );
  }
  return usual.call(this);
};
