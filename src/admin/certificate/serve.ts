/** The certificate that the admin page uses now, if it uses one. */
import type { AdminConfig } from '../../config/schema.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Storage } from '../../runtime/storage.ts';
import { type Text, reasonOf, say } from '../../texts/text.ts';
import { isLoopback } from '../transport.ts';
import { keepCertificate } from './keep.ts';

/** How often to check whether renewal is due. */
const CHECK_MS = 600_000;
/** The delay after a failure to make one; doubled each time, up to CHECK_MS. */
const RETRY_MS = 5_000;

export interface ServedCertificate extends Disposable {
  /** Private key and certificate; undefined without HTTPS. */
  pem(): string | undefined;
  /** SHA-256, "AB:CD:..."; undefined without HTTPS. */
  fingerprint(): string | undefined;
  /** Why there is no certificate although there should be one. */
  problem(): Text | undefined;
  /** Follows a change of the configuration. Never rejects: without a certificate the page still serves this machine. */
  refresh(): Promise<void>;
}

/** Whether the page uses HTTPS. It need not if only this machine can reach it. */
export const usesTls = ({ tls, listen }: AdminConfig): boolean =>
  tls !== 'off' && listen.some((address) => !isLoopback(address));

/** Makes no certificate yet: `refresh` does, and after that a timer. */
export function serveCertificate(admin: () => AdminConfig, storage: Storage, log: Logger): ServedCertificate {
  const keeper = keepCertificate(storage, Date.now, log);
  let problem: Text | undefined;
  let retryMs = RETRY_MS;
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  async function refresh(): Promise<void> {
    clearTimeout(timer);
    await attempt();
    if (isDisposed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void refresh(), problem === undefined ? CHECK_MS : retryMs).unref();
    retryMs = problem === undefined ? RETRY_MS : Math.min(2 * retryMs, CHECK_MS);
  }

  async function attempt(): Promise<void> {
    problem = undefined;
    if (!usesTls(admin())) return;
    try {
      await keeper.refresh(admin().hostnames);
    } catch (error) {
      problem = say('no certificate for HTTPS: {reason}', { reason: reasonOf(error) });
      log.error({ err: error }, 'admin: could not make a certificate; other machines cannot reach the page');
    }
  }

  const current = () => (usesTls(admin()) ? keeper.current() : undefined);
  return {
    pem: () => current()?.pem,
    fingerprint: () => current()?.fingerprint,
    problem: () => problem,
    refresh,
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}
