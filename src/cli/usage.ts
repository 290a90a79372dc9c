/** The usage text of the command line, and the exit codes. */

export const EXIT = {
  ok: 0,
  /** The appliance could not be reached, or an unexpected error occurred. */
  failed: 1,
  usage: 2,
  /** Not signed in, or the token does not have the permission. */
  denied: 3,
  /** The appliance refused the input. */
  refused: 4,
  /** A query for the state found a problem. */
  trouble: 5,
} as const;

export class UsageError extends Error {}

export const OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'token-stdin': { type: 'boolean' },
  fingerprint: { type: 'string' },
  state: { type: 'string' },
  'insecure-http': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'confirm-seconds': { type: 'string' },
  'no-confirm': { type: 'boolean' },
  'ignore-assertions': { type: 'boolean' },
  cached: { type: 'boolean' },
  level: { type: 'string' },
  limit: { type: 'string' },
  kind: { type: 'string' },
  client: { type: 'string' },
  server: { type: 'string' },
  text: { type: 'string' },
  follow: { type: 'boolean', short: 'f' },
} as const;

export const USAGE = `Usage: tombolo COMMAND [OPTIONS]

  status                           the process and its services
  hosts                            the servers and how they are
  check [--cached]                 "check my setup"; --cached: what is known already
  explain FROM PROTOCOL TO [PORT] [ALPN]
                                   what would happen to a connection, step by step; ALPN: the protocols that a TLS client
                                   offers, with commas
  config                           the configuration
  apply FILE [--dry-run] [--confirm-seconds N] [--no-confirm] [--ignore-assertions]
                                   applies a configuration ("-": standard input), and confirms it when the appliance
                                   still answers; N seconds (default 60) later it would go back by itself
  confirm, rollback                keeps, or takes back, a change that waits
  revisions [ID]                   the history of the configuration, or one revision
  revert ID                        goes back to a revision
  backup FILE                      makes a backup, encrypted with a passphrase
  restore FILE [--dry-run]         restores one, or tells what that would change
  support-bundle FILE              what somebody who helps needs, without secrets
  logs [--level LEVEL] [--limit N]
  events [--kind KINDS] [--client PREFIX] [--server NAME] [--text TEXT] [--limit N] [--follow]

  --url URL           the appliance (default: TOMBOLO_URL, else http://127.0.0.1:8064)
  --token-file FILE   the token; else TOMBOLO_TOKEN, else with --token-stdin the first line of standard input, else
                      the one in the state directory. Never an argument: every process could read it there.
  --fingerprint F     SHA-256 of its certificate (default: TOMBOLO_FINGERPRINT, else that of the certificate in the state
                      directory); without one, the certificate must come from an authority that this machine trusts
  --insecure-http     sends the token over http:// to another machine, readable on its way
  --state DIR         the state directory (default: TOMBOLO_STATE, else /var/lib/tombolo)
  --json              the API's answers instead of text
  --version, --help

The passphrase of a backup comes from TOMBOLO_PASSPHRASE, else from standard input.

Exit codes: 0 done; 1 not reached, or unexpected; 2 usage; 3 not signed in or not allowed; 4 refused as wrong;
5 done, and something is wrong (status, hosts, check, explain).
`;
