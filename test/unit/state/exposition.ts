/**
 * A strict parser of Prometheus's text format 0.0.4, written from its description. Throws on anything that the description does
 * not allow.
 */

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Record<string, string>; readonly value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

export function parseExposition(text: string): Map<string, MetricFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  const families = new Map<string, MetricFamily & { help: string; type: string }>();
  const seen = new Set<string>();
  let current: (MetricFamily & { help: string; type: string }) | undefined;
  for (const [i, line] of text.slice(0, -1).split('\n').entries()) {
    const fail = (what: string): never => {
      throw new Error(`line ${i + 1}: ${what}: ${JSON.stringify(line)}`);
    };
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment !== null) {
      const [, keyword, name, rest] = comment;
      if (!NAME.test(name)) fail('no metric name');
      if (keyword === 'HELP') {
        if (families.has(name)) fail('a second HELP, or lines of one metric apart');
        if (/\\(?![\\n])/.test(rest)) fail('a backslash that escapes nothing');
        families.set(name, (current = { name, type: '', help: rest, samples: [] }));
      } else {
        if (current?.name !== name || current.type !== '' || current.samples.length > 0)
          fail('TYPE out of place');
        if (!TYPES.includes(rest)) fail('no type');
        current!.type = rest;
      }
      continue;
    }
    const sample = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (sample === null) return fail('no sample');
    const [, name, labelText, value] = sample;
    if (current?.name !== name || current.type === '') fail('a sample outside its family, or without TYPE');
    if (!VALUE.test(value)) fail('no value');
    const labels = labelText === undefined ? {} : parseLabels(labelText, fail);
    const key = `${name}${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) fail('the same sample twice');
    seen.add(key);
    current!.samples.push({ labels, value: Number(value) });
  }
  for (const { name, samples } of families.values())
    if (samples.length === 0) throw new Error(`${name}: no sample`);
  return families;
}

function parseLabels(text: string, fail: (what: string) => never): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([^=]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(rest);
    if (match === null || !LABEL_NAME.test(match[1]) || match[1] in labels) return fail('labels');
    labels[match[1]] = match[2].replace(/\\(.)/g, (_all, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    );
    rest = rest.slice(match[0].length);
  }
  return labels;
}
