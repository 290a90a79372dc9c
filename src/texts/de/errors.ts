/** Error answers of the API. */
import type { Dictionary } from '../sentence.ts';

export const errors: Dictionary = {
  'This cannot be done now: {reason}': 'Das geht jetzt nicht: {reason}',
  'Unexpected error; the log has the reason.': 'Unerwarteter Fehler; der Grund steht im Protokoll.',
  // Errors of Fastify itself
  'Request body is too large': 'Der Inhalt der Anfrage ist zu groß',
  'Unsupported Media Type': 'Diese Art von Inhalt wird nicht angenommen',
  "Body cannot be empty when content-type is set to 'application/json'":
    'Der Inhalt fehlt, obwohl die Anfrage application/json ankündigt',
  "Body is not valid JSON but content-type is set to 'application/json'":
    'Der Inhalt ist kein gültiges JSON, obwohl die Anfrage application/json ankündigt',
  // Who has access
  'your address': 'diese Adresse',
  'This appliance is not reached as "{name}". Use its IP address, or one of the names in admin.hostnames; whoever is signed in can add this name there.':
    'Dieses Gerät ist nicht als „{name}“ zu erreichen. Seine IP-Adresse verwenden, oder einen der Namen in admin.hostnames; wer angemeldet ist, kann diesen Namen dort eintragen.',
  'Use https://{host}; what you sent was not encrypted.':
    'Zu benutzen ist https://{host}; das Gesendete war nicht verschlüsselt.',
  'Another site asked for this change; it was not made.':
    'Eine andere Website hat diese Änderung verlangt; sie wurde nicht gemacht.',
  'Too many requests; try again in {seconds} s.': 'Zu viele Anfragen; in {seconds} s noch einmal versuchen.',
  'The API has nothing at this address.': 'Die API hat unter dieser Adresse nichts.',
  'There is nothing at this address.': 'Unter dieser Adresse gibt es nichts.',
  'The control panel is not built (npm run build:web). The API under /api works without it.':
    'Die Weboberfläche ist nicht gebaut (npm run build:web). Die API unter /api geht auch ohne sie.',
  // Signing in
  'The first password is set from the network that the appliance is in.':
    'Das erste Passwort wird aus dem Netz gesetzt, in dem das Gerät steht.',
  'The time to set the first password is over; restart the appliance.':
    'Die Zeit, das erste Passwort zu setzen, ist vorbei; das Gerät neu starten.',
  'Nobody has set a password yet; begin with the first run.':
    'Noch hat niemand ein Passwort gesetzt; mit der Ersteinrichtung beginnen.',
  'Somebody has already set the password; sign in with it.':
    'Das Passwort ist schon gesetzt; damit anmelden.',
  'The password is wrong.': 'Das Passwort ist falsch.',
  'The password or the code is wrong. The clock of the appliance says {clock}; if it is wrong, no code is accepted.':
    'Das Passwort oder der Code ist falsch. Die Uhr des Geräts zeigt {clock}; geht sie falsch, wird kein Code angenommen.',
  'Too many wrong passwords; try again in {seconds} s.':
    'Zu viele falsche Passwörter; in {seconds} s noch einmal versuchen.',
  'Too many sign-ins at once; try again in a few seconds.':
    'Zu viele Anmeldungen auf einmal; in ein paar Sekunden noch einmal versuchen.',
  'Too many wrong tokens; try again in {seconds} s.':
    'Zu viele falsche Token; in {seconds} s noch einmal versuchen.',
  'This is not a token of this appliance, or it has expired.':
    'Das ist kein Token dieses Geräts, oder es ist abgelaufen.',
  'Sign in, or send an API token as "Authorization: Bearer TOKEN".':
    'Anmelden, oder ein API-Token als „Authorization: Bearer TOKEN“ senden.',
  'Send the csrfToken of GET /api/session as "{header}".':
    'Den csrfToken aus GET /api/session als „{header}“ senden.',
  'This needs the scope "{scope}"; what you signed in with has "{own}".':
    'Das braucht das Recht „{scope}“; die Anmeldung hat „{own}“.',
  'API tokens cannot change how the owner signs in; sign in with the password.':
    'API-Token können nicht ändern, wie sich der Eigentümer anmeldet; mit dem Passwort anmelden.',
  'a password of at least 5 different characters': 'ein Passwort aus mindestens 5 verschiedenen Zeichen',
  'a password that is not a common word': 'ein Passwort, das kein gängiges Wort ist',
  'a password that is not a plain sequence': 'ein Passwort, das keine einfache Folge ist',
  'a password that is not a row of keys': 'ein Passwort, das keine Tastenreihe ist',
  'is easy to guess; expected {expected}': 'ist leicht zu erraten; erwartet: {expected}',
  'Not created, because it could not be saved: {reason}':
    'Nicht angelegt, weil es sich nicht speichern ließ: {reason}',
  'Active now, but not saved on the disk yet. Saving is retried; a restart before that brings back the previous state. {reason}':
    'Gilt jetzt, ist aber noch nicht auf dem Datenträger gespeichert. Das Speichern wird wieder versucht; ein Neustart vorher bringt den vorigen Stand zurück. {reason}',
  'the present password': 'das jetzige Passwort',
  'The present password is wrong.': 'Das jetzige Passwort ist falsch.',
  'the six digits that the authenticator app shows': 'die sechs Ziffern, die die Authenticator-App zeigt',
  'the code that the authenticator app shows now': 'der Code, den die Authenticator-App jetzt zeigt',
  "is not {expected}; the appliance's clock says {clock}":
    'passt nicht; erwartet: {expected}; die Uhr des Geräts zeigt {clock}',
  'The second factor is already on; switch it off first.':
    'Der zweite Faktor ist schon an; ihn zuerst ausschalten.',
  'Request a secret first, with POST totp.': 'Zuerst mit POST totp ein Geheimnis anfordern.',
  'A token has no session to end; revoke it with DELETE tokens.':
    'Ein Token hat keine Sitzung, die sich beenden ließe; es mit DELETE tokens widerrufen.',
  'There is no session "{wanted}".': 'Eine Sitzung „{wanted}“ gibt es nicht.',
  'There is no token "{id}".': 'Ein Token „{id}“ gibt es nicht.',
  'a name that no other token has': 'ein Name, den kein anderes Token hat',
  'There are {count} tokens already; revoke one first.':
    'Es gibt schon {count} Token; zuerst eines widerrufen.',
  // Changes of the configuration
  'This is not a valid configuration.': 'Das ist keine gültige Konfiguration.',
  'Not applied: {failed}': 'Nicht angewendet: {failed}',
  'The configuration was changed meanwhile, to revision {revision}; load it again.':
    'Die Konfiguration wurde inzwischen geändert, zu Stand {revision}; neu laden.',
  'The change by {by} waits for confirmation until {time}: confirm it or roll it back first.':
    'Die Änderung von {by} wartet bis {time} auf Bestätigung: sie zuerst bestätigen oder zurücknehmen.',
  '{problem} Nothing was changed yet: make the change again, and it is written in its place.':
    '{problem} Geändert wurde noch nichts: Machen Sie die Änderung noch einmal, dann wird sie an ihre Stelle geschrieben.',
  'The file was edited by hand since it was read. Activate that edit first (systemctl reload tombolo, or a restart), or undo it; then make the change here.':
    'Die Datei wurde von Hand bearbeitet, seit sie gelesen wurde. Zuerst diese Bearbeitung in Kraft setzen (systemctl reload tombolo, oder ein Neustart) oder sie rückgängig machen; dann hier ändern.',
  'Not activated; the previous configuration stays active: {reason}':
    'Nicht in Kraft gesetzt; die vorige Konfiguration gilt weiter: {reason}',
  'The previous configuration is already active.': 'Die vorige Konfiguration gilt schon.',
  'No change is waiting for confirmation; it may have been rolled back already.':
    'Keine Änderung wartet auf eine Bestätigung; vielleicht wurde sie schon zurückgenommen.',
  'Not confirmed, the countdown goes on: {reason}': 'Nicht bestätigt, der Countdown läuft weiter: {reason}',
  'The history has no revision {id}; the oldest ones are dropped.':
    'Im Verlauf gibt es keinen Stand {id}; die ältesten werden entfernt.',
  // Servers, checks, NAT64, events
  'There is no server "{name}" in the configuration.': 'In der Konfiguration gibt es keinen Server „{name}“.',
  'There is no check "{id}".': 'Eine Prüfung „{id}“ gibt es nicht.',
  'NAT64 is not running; the status of the service says why.':
    'NAT64 läuft nicht; der Zustand des Dienstes sagt, warum.',
  'NAT64 is switched off; set nat64.enabled to true.':
    'NAT64 ist abgeschaltet; nat64.enabled auf true setzen.',
  'either client, or poolAddress and poolPort': 'entweder client, oder poolAddress und poolPort',
  'Send {expected}.': 'Zu senden ist: {expected}.',
  'a "from" before "to", at most 31 days apart': 'ein „from“ vor „to“, höchstens 31 Tage auseinander',
  '"{from}" to "{to}": expected {expected}': '„{from}“ bis „{to}“; erwartet: {expected}',
  '{names} with "host", the others without': '{names} mit „host“, die anderen ohne',
  '"{value}": expected {expected}': '„{value}“; erwartet: {expected}',
  'an hour before': 'eine Stunde davor',
  now: 'jetzt',
  '{count} pages are open already; close one.': 'Es sind schon {count} Seiten offen; eine schließen.',
  // Backup and restore
  'Another backup or restore is in progress; try again in a moment.':
    'Eine andere Sicherung oder Wiederherstellung läuft; gleich noch einmal versuchen.',
  'This version cannot use the configuration in the backup; nothing was changed.':
    'Diese Version kann die Konfiguration in der Sicherung nicht benutzen; nichts wurde geändert.',
  'The file has {bytes} bytes; a backup has at most {most}.':
    'Die Datei hat {bytes} Byte; eine Sicherung hat höchstens {most}.',
  'This file is not a Tombolo backup: it begins with something else.':
    'Diese Datei ist keine Tombolo-Sicherung: Sie beginnt mit etwas anderem.',
  'The backup has format {version}, this appliance knows {own}: update it first.':
    'Die Sicherung hat Format {version}, dieses Gerät kennt {own}: zuerst aktualisieren.',
  'The backup is damaged: its beginning is not complete.':
    'Die Sicherung ist beschädigt: Ein Teil des Anfangs fehlt.',
  'The passphrase is wrong, or the file was changed or cut short.':
    'Die Passphrase ist falsch, oder die Datei wurde verändert oder abgeschnitten.',
  'The backup cannot be unpacked: {reason}': 'Die Sicherung lässt sich nicht entpacken: {reason}',
  'The backup is not as expected: {what}.': 'Die Sicherung ist nicht wie erwartet: {what}.',
  'The backup has an unknown entry: {name}.': 'Die Sicherung hat einen unbekannten Eintrag: {name}.',
  'The backup has an entry twice: {name}.': 'Die Sicherung hat einen Eintrag zweimal: {name}.',
  Configuration: 'Konfiguration',
  'History of the configuration': 'Verlauf der Konfiguration',
  "The servers' SSH ports": 'Die SSH-Ports der Server',
  'Password, two-factor secret and API tokens': 'Passwort, Geheimnis des zweiten Faktors und API-Token',
  'Certificate of this page': 'Zertifikat dieser Seite',
  // The machine
  "This machine does not let the page do that; only the appliance's own image does.":
    'Auf diesem Gerät darf die Seite das nicht; nur das eigene Abbild des Geräts lässt es zu.',
  'The appliance reboots; expect it back within a minute.':
    'Das Gerät startet neu; in etwa einer Minute ist es wieder da.',
  'The appliance reboots and starts as a new one; its screen shows its address.':
    'Das Gerät startet neu und fängt von vorn an; sein Bildschirm zeigt, wo es zu finden ist.',
  // SSH to the appliance
  'is the private half of a key, which must not leave its machine. Make a new pair (ssh-keygen -t ed25519), and paste the file that ends in .pub':
    'ist die geheime Hälfte eines Schlüssels, die ihr Gerät nicht verlassen darf. Erzeugen Sie ein neues Paar (ssh-keygen -t ed25519) und fügen Sie die Datei ein, die auf .pub endet',
  'is in the SSH2 format; `ssh-keygen -i -f FILE` makes the line of it':
    'hat das SSH2-Format; `ssh-keygen -i -f DATEI` macht die Zeile daraus',
  'has options before the key: leave them out, from the type on is enough':
    'hat Optionen vor dem Schlüssel: Lassen Sie sie weg, ab dem Typ genügt',
  'has more than one line: add one key after the other':
    'hat mehr als eine Zeile: Fügen Sie einen Schlüssel nach dem anderen hinzu',
  'does not begin with the type of a key; expected one of {types}':
    'beginnt nicht mit dem Typ eines Schlüssels; erwartet wird einer von {types}',
  'is damaged: what follows the type is not a whole key of that type':
    'ist beschädigt: Was auf den Typ folgt, ist kein ganzer Schlüssel dieses Typs',
  'is an RSA key of fewer than 2048 bits: make a better one (ssh-keygen -t ed25519)':
    'ist ein RSA-Schlüssel mit weniger als 2048 Bit: Erzeugen Sie einen besseren (ssh-keygen -t ed25519)',
  'There are {count} keys already; remove one first.':
    'Es gibt schon {count} Schlüssel; entfernen Sie erst einen.',
  'This key may log in already.': 'Dieser Schlüssel darf sich schon anmelden.',
  'There is no key "{fingerprint}".': 'Es gibt keinen Schlüssel „{fingerprint}“.',
  '"{hostname}", the hostname of this appliance': '„{hostname}“, der Hostname dieses Geräts',
  '"{given}" does not match; expected {expected}': '„{given}“ passt nicht; erwartet: {expected}',
};
