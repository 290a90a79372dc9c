#!/bin/bash -e
# Our overlay replaces files of the packages.
: "${REPOSITORY:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)}"
cp -a --no-preserve=ownership "$REPOSITORY/firmware/rootfs/." "$ROOTFS_DIR/"
chown -R root:root "$ROOTFS_DIR/etc/nftables.conf" "$ROOTFS_DIR/usr/libexec/tombolo" "$ROOTFS_DIR/usr/share/tombolo"
# Mount points, because the root is read-only on the device.
install -d "$ROOTFS_DIR/data" "$ROOTFS_DIR/var/lib/tombolo" "$ROOTFS_DIR/var/cache/tombolo"
