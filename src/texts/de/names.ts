/** The check of names that lead to their address in DNS. */
import type { Dictionary } from '../sentence.ts';

export const names: Dictionary = {
  'Names that lead to their address in DNS': 'Namen, die zu ihrer Adresse im DNS führen',
  'With proxy.allowedPrefixes, the proxy asks the resolvers of dns64.upstreams for names that no server has. If none of them answers, clients of such names are refused.':
    'Mit proxy.allowedPrefixes fragt der Proxy die Resolver aus dns64.upstreams nach Namen, die kein Server hat. Antwortet keiner von ihnen, werden Clients solcher Namen abgelehnt.',
  'There is no resolver to ask: DNS64 itself makes addresses up, so it is not asked.':
    'Es gibt keinen Resolver, der gefragt werden könnte: DNS64 selbst erzeugt Adressen, es wird also nicht gefragt.',
  'Set another resolver in dns64.upstreams.': 'Tragen Sie einen anderen Resolver in dns64.upstreams ein.',
  'Check that the addresses in dns64.upstreams are right and that no firewall blocks port 53 to them.':
    'Prüfen Sie, ob die Adressen in dns64.upstreams stimmen und keine Firewall Port 53 zu ihnen sperrt.',
  'No resolver answers: {resolvers}. Clients of names that are not known yet are refused.':
    'Kein Resolver antwortet: {resolvers}. Clients von Namen, die noch nicht bekannt sind, werden abgelehnt.',
  '{resolvers} does not answer; another resolver does.':
    '{resolvers} antwortet nicht; ein anderer Resolver antwortet.',
  'The resolvers that are asked for names answer.': 'Die Resolver, die nach Namen gefragt werden, antworten.',
};
