export DEBIAN_FRONTEND=noninteractive
systemd-sysusers
systemctl preset-all --preset-mode=full >/dev/null 2>&1
systemctl set-default multi-user.target >/dev/null
# No logins at the device, no automatic changes of the system, and no waiting for the network. Units that are not installed are
# masked too: pi-gen's stages and a later Debian may install them.
systemctl mask getty@tty1.service serial-getty@.service console-getty.service userconfig.service systemd-firstboot.service \
  systemd-networkd-wait-online.service nftables.service networking.service ssh.socket \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap.service \
  man-db.timer ldconfig.service systemd-update-done.service systemd-machine-id-commit.service \
  systemd-journal-flush.service systemd-pcrphase.service regenerate_ssh_host_keys.service sshswitch.service \
  rpi-eeprom-update.service resize2fs_once.service cloud-init.target >/dev/null 2>&1
# By default systemd opens sshd on local and VM sockets.
install -d /etc/systemd/system-generators
ln -sfn /dev/null /etc/systemd/system-generators/systemd-ssh-generator
# No passwords: root is locked (SSH with a key still works), and pi-gen's user is removed.
for user in pi "${FIRST_USER_NAME:-}"; do
  if [ -n "$user" ] && [ "$user" != root ] && getent passwd "$user" >/dev/null; then userdel --remove --force "$user" 2>/dev/null || true; fi
done
passwd --quiet --lock root
usermod --shell /bin/bash root
# Identities are created on the device.
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /var/lib/systemd/random-seed /var/lib/dbus/machine-id
ln -sf /etc/machine-id /var/lib/dbus/machine-id
: >/etc/machine-id
