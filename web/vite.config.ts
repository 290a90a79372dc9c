/** How the control panel is built: one page, its chunks by route, nothing inline (the content security policy forbids it). */
import { type Plugin, defineConfig } from 'vite';
import { keyOf } from './src/texts/key.ts';

/** The dictionaries of the languages, by short keys in place of the English sentences (key.ts). */
const shortKeys = (): Plugin => ({
  name: 'short-keys',
  async load(id) {
    if (!/\/texts\/\w+\/all\.ts$/.test(id)) return null;
    const [[name, dictionary]] = Object.entries((await import(id)) as Record<string, Record<string, string>>);
    const sentences = Object.entries(dictionary);
    const byKey = Object.fromEntries(sentences.map(([sentence, told]) => [keyOf(sentence), told]));
    if (Object.keys(byKey).length < sentences.length) throw new Error(`${id}: two sentences have one key`);
    return `export const ${name} = ${JSON.stringify(byKey)};`;
  },
});

export default defineConfig({
  root: import.meta.dirname,
  publicDir: 'public',
  plugins: [shortKeys()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Small chunks compress badly.
    rollupOptions: { output: { experimentalMinChunkSize: 4000 } },
    // What is in the bundle, for the list of packages in the image; it is not served.
    license: { fileName: '.vite/license.json' },
  },
});
