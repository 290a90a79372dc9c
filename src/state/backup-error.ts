/** What a backup is, and why one is not restored. Apart from backup-seal.ts, which a start does not need. */
import { type Text, TextError } from '../texts/text.ts';

export interface BackupEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

export interface Backup {
  /** ISO 8601. */
  readonly createdAt: string;
  /** Of the software that made it. */
  readonly version: string;
  readonly hostname: string;
  readonly entries: readonly BackupEntry[];
}

/** Why a file is not restored; the message is for people. */
export class BackupError extends TextError {
  readonly reason:
    | 'not-a-backup'
    | 'newer'
    | 'wrong-passphrase'
    | 'damaged'
    | 'too-large'
    | 'unreadable'
    | 'unwritable';
  constructor(reason: BackupError['reason'], text: Text, options?: ErrorOptions) {
    super(text, options);
    this.reason = reason;
  }
}
