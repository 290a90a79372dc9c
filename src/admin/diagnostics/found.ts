/** The results of the diagnostics in the shape of the API, but with texts that are not translated yet. */
import type { Snippet } from '../../services/check.ts';
import type { Untranslated } from '../../texts/text.ts';
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

export type ProbeFound = Untranslated<ProbeReport, 'detail'>;
export type HealthFound = Untranslated<HostHealth, 'detail'>;
export type DnsRecordFound = Untranslated<DnsRecord, 'note'>;
export type LiveDnsRecordFound = Untranslated<LiveDnsRecord, 'note' | 'detail'>;
export type PublicIpv4Found = Untranslated<PublicIpv4, 'text'>;
export type DnsRecordsFound = Untranslated<DnsRecordsAnswer, 'note' | 'detail' | 'text'>;
export type HostFound = Omit<Untranslated<HostAnswer, 'note' | 'detail'>, 'snippets'> & {
  readonly snippets: readonly Snippet[];
};
export type HostsFound = Omit<HostsAnswer, 'hosts' | 'publicIpv4'> & {
  readonly publicIpv4: PublicIpv4Found;
  readonly hosts: readonly HostFound[];
};
export type ChecksFound = Untranslated<ChecksAnswer, 'title' | 'what' | 'why' | 'remedy'>;
export type NetworkFound = Untranslated<NetworkAnswer, 'text' | 'wantedBy' | 'owner'>;
