/** The results of the diagnostics in the shape of the API, but with texts that are not translated yet. */
import type { Snippet } from '../../services/check.ts';
import type { Untold } from '../../texts/text.ts';
import type {
  ChecksAnswer,
  DnsRecord,
  DnsRecordsAnswer,
  HostAnswer,
  HostHealth,
  HostsAnswer,
  LiveDnsRecord,
  NetworkAnswer,
  ProbeReport,
  PublicIpv4,
} from '../contract/checks.ts';

export type ProbeFound = Untold<ProbeReport, 'detail'>;
export type HealthFound = Untold<HostHealth, 'detail'>;
export type DnsRecordFound = Untold<DnsRecord, 'note'>;
export type LiveDnsRecordFound = Untold<LiveDnsRecord, 'note' | 'detail'>;
export type PublicIpv4Found = Untold<PublicIpv4, 'text'>;
export type DnsRecordsFound = Untold<DnsRecordsAnswer, 'note' | 'detail' | 'text'>;
export type HostFound = Omit<Untold<HostAnswer, 'note' | 'detail'>, 'snippets'> & {
  readonly snippets: readonly Snippet[];
};
export type HostsFound = Omit<HostsAnswer, 'hosts' | 'publicIpv4'> & {
  readonly publicIpv4: PublicIpv4Found;
  readonly hosts: readonly HostFound[];
};
export type ChecksFound = Untold<ChecksAnswer, 'title' | 'what' | 'why' | 'mend'>;
export type NetworkFound = Untold<NetworkAnswer, 'text' | 'wantedBy' | 'owner'>;
