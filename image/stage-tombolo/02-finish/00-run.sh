#!/bin/bash -e
# Removes what the device does not need, and writes the list of its packages.
: "${SOURCE_DATE_EPOCH:?}"
: "${REPOSITORY:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)}"
. "$REPOSITORY/image/lib/app.sh"
{
  dpkg-query --root="$ROOTFS_DIR" --show --showformat='${Package}\t${Version}\t${Architecture}\t${source:Package}\n'
  npm_packages "$ROOTFS_DIR/usr/lib/tombolo"
} | LC_ALL=C sort --unique >"$ROOTFS_DIR/usr/share/tombolo/packages.tsv"
# The clock is never before this (systemd takes the file's time).
touch --date="@$SOURCE_DATE_EPOCH" "$ROOTFS_DIR/usr/lib/clock-epoch"
rm -rf "$ROOTFS_DIR"/var/lib/apt/lists/* "$ROOTFS_DIR"/var/cache/apt/*.bin "$ROOTFS_DIR"/var/cache/apt/archives/*.deb \
  "$ROOTFS_DIR"/var/cache/debconf/*-old "$ROOTFS_DIR"/var/lib/dpkg/*-old "$ROOTFS_DIR"/var/log/* "$ROOTFS_DIR"/var/cache/ldconfig/aux-cache \
  "$ROOTFS_DIR"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$ROOTFS_DIR"/tmp/* "$ROOTFS_DIR"/var/tmp/* "$ROOTFS_DIR"/root/.bash_history
# resolved writes it in /run; until here, the builder's file was in use.
ln -sfn /run/systemd/resolve/resolv.conf "$ROOTFS_DIR/etc/resolv.conf"
ln -sfn /proc/self/mounts "$ROOTFS_DIR/etc/mtab"
