import assert from 'node:assert/strict';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';

/** A valid configuration. */
export function loaded(text: string): LoadedConfig {
  const result = loadConfig(text);
  assert.ok('config' in result, text);
  return result;
}
