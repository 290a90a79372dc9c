/** The first run. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';

export const firstRun: Dictionary = {
  'Set up Tombolo': 'Tombolo einrichten',
  'Step {at} of {of}': 'Schritt {at} von {of}',
  'First server': 'Erster Server',
  'Router and DNS': 'Router und DNS',
  Done: 'Fertig',
  Continue: 'Weiter',
  Back: 'Zurück',
  'Do this later': 'Später machen',
  'Nobody has claimed this appliance yet. Choose a password to manage it.':
    'Noch gehört dieses Gerät niemandem. Wählen Sie ein Passwort, mit dem Sie es verwalten.',
  'At least {least} characters. A few unrelated words are easy to remember and hard to guess.':
    'Mindestens {least} Zeichen. Einige Wörter ohne Zusammenhang sind leicht zu merken und schwer zu erraten.',
  'The same password again': 'Dasselbe Passwort noch einmal',
  'The two passwords differ.': 'Die beiden Passwörter sind verschieden.',
  'Claim this appliance': 'Dieses Gerät übernehmen',
  'Then restore a backup of another appliance': 'Danach die Sicherung eines anderen Geräts einspielen',
  'It can be claimed for another {minutes} minutes.':
    'Es kann noch {minutes} Minuten lang übernommen werden.',
  'The time to claim this appliance is over': 'Die Zeit zum Übernehmen ist vorbei',
  'It ends so that nobody else can claim the appliance. Switch the appliance off and on again: then you have another half hour.':
    'Sie endet, damit niemand anderes das Gerät übernimmt. Schalten Sie es aus und wieder ein: Dann haben Sie noch einmal eine halbe Stunde.',
  'This appliance can only be claimed from its own network':
    'Dieses Gerät lässt sich nur aus seinem eigenen Netz übernehmen',
  'Open this page from a computer or phone that is connected to the same network.':
    'Öffnen Sie diese Seite mit einem Computer oder Telefon im selben Netz.',
  'SHA-256 fingerprint of its certificate. The screen at the appliance and your browser’s certificate dialog must show the same. If not, somebody is between you and the appliance.':
    'SHA-256-Fingerabdruck seines Zertifikats. Der Bildschirm am Gerät und der Zertifikatsdialog Ihres Browsers müssen denselben zeigen. Wenn nicht, sitzt jemand zwischen Ihnen und dem Gerät.',
  'Expected at least {least} characters.': 'Erwartet werden mindestens {least} Zeichen.',
  'This is the network that the appliance found. You do not need to type anything here.':
    'Dieses Netz hat das Gerät vorgefunden. Sie müssen hier nichts eingeben.',
  'IPv4 gateway': 'IPv4-Gateway',
  'IPv6 gateway': 'IPv6-Gateway',
  'Its addresses': 'Seine Adressen',
  'Seen from the Internet': 'Vom Internet aus gesehen',
  'DNS servers in use': 'Benutzte DNS-Server',
  'There is no IPv6 in this network': 'In diesem Netz gibt es kein IPv6',
  'The servers need IPv6 addresses. Switch on IPv6 in the router, or continue and look at Checks later.':
    'Die Server brauchen IPv6-Adressen. Schalten Sie IPv6 im Router ein, oder gehen Sie weiter und sehen Sie später unter Prüfungen nach.',
  'none found': 'keines gefunden',
  'Ports used by another program': 'Ports, die ein anderes Programm benutzt',
  '{protocol} {port} (for {wanted}) is in use by {owner}.':
    '{protocol} {port} (für {wanted}) belegt {owner}.',
  'Look again': 'Noch einmal nachsehen',
  'Nothing is in the way.': 'Nichts steht im Weg.',
  'Which machine should be reachable from IPv4? Pick one that answers in your network, or type its address.':
    'Welcher Rechner soll von IPv4 aus erreichbar sein? Wählen Sie einen, der in Ihrem Netz antwortet, oder tippen Sie seine Adresse.',
  'Seen in your network': 'In Ihrem Netz gesehen',
  'Looking for machines in the network…': 'Es wird nach Rechnern im Netz gesucht …',
  'No machine with an IPv6 address has answered yet. Type the address of the server instead.':
    'Noch hat kein Rechner mit einer IPv6-Adresse geantwortet. Tippen Sie stattdessen die Adresse des Servers.',
  'Use {address}': 'Übernehmen {address}',
  router: 'Router',
  'answers on {ports}': 'antwortet auf {ports}',
  'Add this server': 'Diesen Server hinzufügen',
  'Search again': 'Noch einmal suchen',
  'Give at least one host name, such as example.com: it is what leads visitors here.':
    'Geben Sie mindestens einen Hostnamen an, etwa example.com: Er führt Besucher hierher.',
  'Two things remain that you must do outside of this appliance.':
    'Zwei Dinge bleiben, die Sie außerhalb dieses Geräts tun müssen.',
  'Open on the router': 'Am Router öffnen',
  'Nothing: the appliance has the public address {address} itself.':
    'Nichts: Das Gerät hat die öffentliche Adresse {address} selbst.',
  'Forward these ports of the public IPv4 address to {address}:':
    'Leiten Sie diese Ports der öffentlichen IPv4-Adresse weiter an {address}:',
  'The appliance has no IPv4 address yet: connect it to the IPv4 network first.':
    'Das Gerät hat noch keine IPv4-Adresse: Verbinden Sie es zuerst mit dem IPv4-Netz.',
  For: 'Für',
  'Publish in the DNS': 'Im DNS veröffentlichen',
  'It is set up': 'Es ist eingerichtet',
  '{name} is reachable from IPv4 as soon as the DNS records have arrived.':
    '{name} ist von IPv4 aus erreichbar, sobald die DNS-Einträge angekommen sind.',
  'Add servers whenever you like.': 'Fügen Sie Server hinzu, wann Sie mögen.',
  'Check my setup': 'Meine Einrichtung prüfen',
  'Do these soon': 'Bald zu tun',
  'Make a backup: one encrypted file, on the System page.':
    'Eine Sicherung machen: eine verschlüsselte Datei, auf der Seite System.',
  'Protect the sign-in with a second factor, on the System page.':
    'Die Anmeldung mit einem zweiten Faktor schützen, auf der Seite System.',
  'Add the other servers: you can paste several at once.':
    'Die übrigen Server hinzufügen: Mehrere lassen sich auf einmal einfügen.',
  'Choose the backup file and enter its passphrase. You see what would change before you confirm.':
    'Wählen Sie die Sicherungsdatei und geben Sie ihre Passphrase ein. Sie sehen, was sich ändern würde, bevor Sie bestätigen.',
  'Set it up by hand instead': 'Stattdessen von Hand einrichten',
};
