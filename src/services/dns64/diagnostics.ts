/** DNS64's part of the diagnostics. */
import type { ServiceDiagnostics } from '../check.ts';
import { dns64Answers } from './checks/answers.ts';
import { dns64Upstreams } from './checks/upstreams.ts';

export const diagnostics: ServiceDiagnostics = { checks: [dns64Answers, dns64Upstreams] };
