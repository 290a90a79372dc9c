#!/bin/bash -e
: "${REPOSITORY:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)}"
export REPOSITORY
. "$REPOSITORY/image/lib/app.sh"
make_app "$ROOTFS_DIR/usr/lib/tombolo"
chown -R root:root "$ROOTFS_DIR/usr/lib/tombolo"
install -d "$ROOTFS_DIR/usr/share/doc/tombolo"
install -m 644 "$REPOSITORY/README.md" "$REPOSITORY/LICENSE" "$ROOTFS_DIR/usr/share/doc/tombolo/"
VERSION=$(app_version)
sed -i '/^IMAGE_/d' "$ROOTFS_DIR/usr/lib/os-release"
printf 'IMAGE_ID=tombolo\nIMAGE_VERSION="%s"\n' "$VERSION" >>"$ROOTFS_DIR/usr/lib/os-release"
