/** The dashboard with its picture. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const dashboard: Dictionary = {
  Dashboard: 'Übersicht',
  'overview home': 'Dashboard Start',
  'Everything runs.': 'Alles läuft.',
  'Something does less than it should.': 'Etwas leistet weniger, als es soll.',
  'Something has failed.': 'Etwas ist ausgefallen.',
  'Waiting for the first figures…': 'Warten auf die ersten Zahlen …',
  Mainland: 'Festland',
  'IPv4 Internet': 'IPv4-Internet',
  Island: 'Insel',
  'no IPv4 address': 'keine IPv4-Adresse',
  'behind NAT': 'hinter NAT',
  '1 server': '1 Server',
  '{count} servers': '{count} Server',
  in: 'hinein',
  'What flows between the IPv4 Internet and the IPv6 servers':
    'Was zwischen dem IPv4-Internet und den IPv6-Servern fließt',
  'Between the mainland, the IPv4 Internet, and the island of IPv6 servers: {parts}.':
    'Zwischen dem Festland, dem IPv4-Internet, und der Insel der IPv6-Server: {parts}.',
  '{title} {amount}, {direction}: {state}': '{title} {amount}, {direction}: {state}',
  'All servers': 'Alle Server',
  'A server is an IPv6 address and the names that lead to it. Add the first one, and its names are reachable from IPv4.':
    'Ein Server ist eine IPv6-Adresse und die Namen, die zu ihm führen. Fügen Sie den ersten hinzu, und seine Namen sind von IPv4 aus erreichbar.',
  Checks: 'Prüfungen',
  'Nothing is open.': 'Nichts ist offen.',
  'Nothing has been checked yet.': 'Noch ist nichts geprüft.',
  'All checks': 'Alle Prüfungen',
  'and {count} more': 'und {count} weitere',
  'This machine': 'Dieses Gerät',
  'was too weak once': 'war einmal zu schwach',
  'What is wrong': 'Was nicht stimmt',
  Configuration: 'Konfiguration',
  Storage: 'Speicherung',
  Limits: 'Grenzen',
  'Control panel': 'Weboberfläche',
};
