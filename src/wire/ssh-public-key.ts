/** One line of an OpenSSH public key file: `ssh-ed25519 AAAA... a comment`, without options. */

export interface SshPublicKey {
  readonly type: string;
  /** RFC 4253 section 6.6: the type again, and its data. */
  readonly blob: Uint8Array;
  /** May be empty; contains no control characters. */
  readonly comment: string;
}

/** Why a text is not such a line. Each reason has its own message for the user. */
export type SshKeyProblem =
  /** A private key: it should not have left its machine. */
  | 'private'
  /** RFC 4716's format, which PuTTY writes. */
  | 'rfc4716'
  /** Options before the type are refused: they could run commands. */
  | 'options'
  /** More than one line. */
  | 'lines'
  /** An unknown type, or one known to be weak (ssh-dss). */
  | 'type'
  /** The data after the type does not fit the type, usually because it was cut off. */
  | 'damaged'
  /** RSA with fewer than 2048 bits. */
  | 'short';

const LONGEST_LINE = 8192;
const LONGEST_COMMENT = 200;
const RSA_LEAST_BITS = 2048;
const CURVE_BYTES: Readonly<Record<string, number>> = { nistp256: 32, nistp384: 48, nistp521: 66 };

/** The data after the type in a blob (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4, PROTOCOL.u2f). */
const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  'ssh-ed25519': ['ed25519'],
  'ssh-rsa': ['integer', 'modulus'],
  'ecdsa-sha2-nistp256': ['nistp256', 'point'],
  'ecdsa-sha2-nistp384': ['nistp384', 'point'],
  'ecdsa-sha2-nistp521': ['nistp521', 'point'],
  'sk-ssh-ed25519@openssh.com': ['ed25519', 'application'],
  'sk-ecdsa-sha2-nistp256@openssh.com': ['nistp256', 'point', 'application'],
};
type Field =
  | 'ed25519'
  | 'integer'
  | 'modulus'
  | 'point'
  | 'application'
  | 'nistp256'
  | 'nistp384'
  | 'nistp521';

export const SSH_KEY_TYPES: readonly string[] = Object.keys(FIELDS);

/** Parses a line, with or without its line end; never throws. */
export function parseSshPublicKey(text: string): SshPublicKey | SshKeyProblem {
  const line = text.trim();
  if (line.includes('PRIVATE KEY') || line.startsWith('PuTTY-User-Key-File')) return 'private';
  if (line.startsWith('---- BEGIN SSH2 PUBLIC KEY')) return 'rfc4716';
  if (/[\r\n]/.test(line)) return 'lines';
  if (line.length > LONGEST_LINE) return 'damaged';
  const [type, base64, comment = ''] = /^(\S*)[ \t]*(\S*)[ \t]*(.*)$/s.exec(line)?.slice(1) ?? ['', ''];
  const fields = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
  if (fields === undefined) {
    return SSH_KEY_TYPES.some((known) => line.includes(`${known} `)) ? 'options' : 'type';
  }
  const blob = decode(base64);
  if (blob === undefined) return 'damaged';
  const problem = checkBlob(blob, type, fields);
  return (
    problem ?? {
      type,
      blob,
      comment: comment
        .replace(/[\p{Cc}\p{Cs}]/gu, '')
        .slice(0, LONGEST_COMMENT)
        .trim(),
    }
  );
}

/** The line that parses as `key` again. It is simple enough to be checked with `grep`. */
export const formatSshPublicKey = ({ type, blob, comment }: SshPublicKey): string =>
  `${type} ${blob.toBase64()}${comment && ' '}${comment}`;

/** The content of an authorized_keys file: one key per line. */
export const formatAuthorizedKeys = (keys: readonly SshPublicKey[]): string =>
  keys.map((key) => `${formatSshPublicKey(key)}\n`).join('');

function decode(base64: string): Uint8Array | undefined {
  // Accept only the canonical encoding, so that one key has one text.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  try {
    return Uint8Array.fromBase64(base64, { lastChunkHandling: 'strict' });
  } catch {
    return undefined;
  }
}

function checkBlob(blob: Uint8Array, type: string, fields: readonly Field[]): SshKeyProblem | undefined {
  const strings = readStrings(blob);
  if (strings?.length !== fields.length + 1 || latin1(strings[0]) !== type) return 'damaged';
  let curve = '';
  for (const [index, field] of fields.entries()) {
    const value = strings[index + 1];
    switch (field) {
      case 'ed25519':
        if (value.length !== 32) return 'damaged';
        break;
      case 'integer':
      case 'modulus':
        // An mpint (RFC 4251 section 5): not negative, without unnecessary zeros.
        if (value.length === 0 || value[0] >= 0x80 || (value[0] === 0 && !(value[1] >= 0x80)))
          return 'damaged';
        if (field === 'modulus' && bitsOf(value) < RSA_LEAST_BITS) return 'short';
        break;
      case 'point':
        // Not compressed (SEC 1 section 2.3.3).
        if (value.length !== 1 + 2 * CURVE_BYTES[curve] || value[0] !== 4) return 'damaged';
        break;
      case 'application':
        if (value.length === 0) return 'damaged';
        break;
      default:
        if (latin1(value) !== field) return 'damaged';
        curve = field;
    }
  }
  return undefined;
}

/** RFC 4251 section 5: each string has its length in four bytes before it; undefined when the lengths do not fit the data. */
function readStrings(blob: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const strings: Uint8Array[] = [];
  for (let at = 0; at < blob.length; ) {
    if (blob.length - at < 4) return undefined;
    const length = view.getUint32(at);
    at += 4;
    if (length > blob.length - at) return undefined;
    strings.push(blob.subarray(at, at + length));
    at += length;
  }
  return strings;
}

/** The number of bits of an mpint. */
function bitsOf(value: Uint8Array): number {
  const first = value[0] === 0 ? 1 : 0;
  return (value.length - first) * 8 - Math.clz32(value[first]) + 24;
}

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 64));
