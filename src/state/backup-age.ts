/**
 * A program of its own: seals or opens a file of age (age-encryption.org/v1) under a passphrase. In the process, the library would stay
 * for ever with 7 MB, and its scrypt would stop everything for a second and more. Reads a task from standard input and
 * writes its outcome, both as JSON.
 */
import { text } from 'node:stream/consumers';
import { Decrypter, Encrypter } from 'age-encryption';

export type AgeTask =
  | { readonly kind: 'seal'; readonly passphrase: string; readonly log2N: number; readonly content: string }
  /** By the first passphrase that fits. */
  | { readonly kind: 'open'; readonly passphrases: readonly string[]; readonly content: string };

/** Content is base64, here and in tasks. `refusal`: why the library does not open the file. */
export type AgeOutcome = { readonly content: string } | { readonly refusal: string };

async function perform(task: AgeTask): Promise<AgeOutcome> {
  const content = Buffer.from(task.content, 'base64');
  if (task.kind === 'seal') {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(task.passphrase);
    encrypter.setScryptWorkFactor(task.log2N);
    return { content: Buffer.from(await encrypter.encrypt(content)).toString('base64') };
  }
  const decrypter = new Decrypter();
  for (const passphrase of task.passphrases) decrypter.addPassphrase(passphrase);
  try {
    return { content: Buffer.from(await decrypter.decrypt(content)).toString('base64') };
  } catch (error) {
    return { refusal: (error as Error).message };
  }
}

if (import.meta.main) {
  const task = JSON.parse(await text(process.stdin)) as AgeTask;
  process.stdout.write(JSON.stringify(await perform(task)));
}
