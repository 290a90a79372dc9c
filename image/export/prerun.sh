#!/bin/bash -e
# pi-gen's export stage, ours instead of export-image: a copy of the last stage's root, to be taken apart.
mkdir -p "$ROOTFS_DIR"
rsync -aHAXx --delete --exclude /var/cache/apt/archives "$EXPORT_ROOTFS_DIR/" "$ROOTFS_DIR/"
