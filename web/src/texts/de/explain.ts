/** Explain and assertions. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const explain: Dictionary = {
  'assertions what would happen trace rule': 'Zusicherungen was würde geschehen Regel',
  'What would happen to a connection, step by step: which listener, which rule, which server.':
    'Was mit einer Verbindung geschähe, Schritt für Schritt: welcher Listener, welche Regel, welcher Server.',
  'IPv4: from the Internet. IPv6: from a server.': 'IPv4: aus dem Internet. IPv6: von einem Server.',
  'A host name or an address.': 'Ein Hostname oder eine Adresse.',
  'Nothing is sent: the answer comes from the configuration and the present state.':
    'Es wird nichts gesendet: Die Antwort kommt aus der Konfiguration und dem jetzigen Zustand.',
  'the rule': 'die Regel',
  'Keep as an assertion': 'Als Zusicherung behalten',
  'From then on, a change that would alter this is refused before it is applied.':
    'Von da an wird eine Änderung, die das anders machte, vor dem Anwenden abgelehnt.',
  '{to} leads to {expected}': '{to} führt zu {expected}',
  'The assertion is in the draft; it takes effect when you apply the change.':
    'Die Zusicherung ist im Entwurf; sie wirkt, wenn Sie die Änderung anwenden.',
  '{what} must lead to: {expected}': '{what} muss führen zu: {expected}',
  'nowhere (refused)': 'nirgendwohin (abgelehnt)',
  Assertions: 'Zusicherungen',
  'What must stay true. Each is tested before a change is applied.':
    'Was wahr bleiben muss. Jede wird geprüft, bevor eine Änderung angewendet wird.',
  'No assertions yet': 'Noch keine Zusicherungen',
  'Explain a connection that matters to you, then keep the answer as an assertion.':
    'Lassen Sie sich eine Verbindung erklären, die Ihnen wichtig ist, und behalten Sie die Antwort als Zusicherung.',
  Connection: 'Verbindung',
  'Must lead to': 'Muss führen zu',
  'Holds?': 'Gilt?',
  'does not hold': 'gilt nicht',
  'Test again': 'Noch einmal prüfen',
  'Remove the assertion “{name}”?': 'Zusicherung „{name}“ entfernen?',
  'Changes that break this connection are no longer refused.':
    'Änderungen, die diese Verbindung brechen, werden nicht mehr abgelehnt.',
  'Nothing happens before you apply the change. Afterwards you can bring it back from the history.':
    'Nichts geschieht, bevor Sie die Änderung anwenden. Danach können Sie sie aus dem Verlauf zurückholen.',
  ALPN: 'ALPN',
  'What a TLS client offers, such as h2.': 'Was ein TLS-Client anbietet, etwa h2.',
};
