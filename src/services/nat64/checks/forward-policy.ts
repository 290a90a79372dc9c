import type { Config } from '../../../config/schema.ts';
import { type Text, listOf, say, sentences, unique } from '../../../texts/text.ts';
import { type Check, type Finding, fail, ok, unknown } from '../../check.ts';
import { type FirewallOwner, forwardChains, legacyForwardDrops } from './forward-chains.ts';

const NAMES: Readonly<Record<NonNullable<FirewallOwner>, string>> = {
  docker: 'Docker',
  ufw: 'ufw',
  firewalld: 'firewalld',
};

export const forwardPolicy: Check = {
  id: 'forward-policy',
  area: 'nat64',
  isCheap: true,
  title: say('Firewall and NAT64'),
  why: say(
    'What NAT64 translates is forwarded. A firewall that drops what is forwarded, as Docker does, stops all of it.',
  ),
  async run({ machine, config }): Promise<Finding | readonly Finding[]> {
    if (!config.nat64.enabled) return [];
    const { device } = config.nat64;
    const { nftables, legacy } = await machine.firewall();
    if (nftables === undefined) return unknown(say('The rules of the firewall cannot be read.'));
    const chains = forwardChains(nftables, device);
    const dropping = chains.filter(({ verdict }) => verdict === 'drop');
    const found = dropping.map(({ owner, chain, table }) =>
      owner === undefined
        ? say('The chain {chain} of the nftables table {table} drops what NAT64 forwards.', { chain, table })
        : say('{firewall} drops what NAT64 forwards (chain {chain} of the nftables table {table}).', {
            firewall: NAMES[owner],
            chain,
            table,
          }),
    );
    const isLegacy = legacy.some((rules) => legacyForwardDrops(rules, device));
    if (isLegacy) found.push(say('The chain FORWARD of iptables-legacy drops what NAT64 forwards.'));
    if (found.length > 0) {
      const mends = [
        ...dropping.map(({ owner }) => remedyOf(owner, config)),
        ...(isLegacy ? [remedyOf('docker', config)] : []),
      ];
      return fail(sentences(...found), sentences(...unique(mends)));
    }
    const unsure = chains.filter(({ verdict }) => verdict === 'unknown');
    if (unsure.length > 0) {
      return unknown(
        say(
          'The firewall drops some of what is forwarded ({chains}); whether NAT64 is part of it depends on its rules.',
          {
            chains: listOf(unsure.map(({ table, chain }) => `${table} ${chain}`)),
          },
        ),
      );
    }
    return ok(say('No firewall rule was found that drops what NAT64 forwards.'));
  },
};

function remedyOf(owner: FirewallOwner, { nat64: { device } }: Config): Text {
  switch (owner) {
    case 'docker':
      return say(
        'Run this after each start of Docker, and the same with ip6tables: iptables -I DOCKER-USER -i {device} -j ACCEPT; iptables -I DOCKER-USER -o {device} -j ACCEPT. Or set {option} in /etc/docker/daemon.json (Docker 28). Where there is no chain DOCKER-USER, take FORWARD.',
        { device, option: '"ip-forward-no-drop": true' },
      );
    case 'ufw':
      return say('Run: ufw route allow in on {device}; ufw route allow out on {device}.', { device });
    case 'firewalld':
      return say(
        'Run: firewall-cmd --permanent --zone=trusted --add-interface={device}; firewall-cmd --permanent --new-policy={device}; firewall-cmd --permanent --policy={device} --add-ingress-zone=ANY --add-egress-zone=trusted --set-target=ACCEPT; firewall-cmd --reload.',
        { device },
      );
    default:
      return say('Add two rules at the top of the chain: {rules}.', {
        rules: `iifname "${device}" accept; oifname "${device}" accept`,
      });
  }
}
