#!/bin/bash -e
# Our replacement for pi-gen's export-image stage: makes a copy of the last stage's root, to be split up.
mkdir -p "$ROOTFS_DIR"
rsync -aHAXx --delete --exclude /var/cache/apt/archives "$EXPORT_ROOTFS_DIR/" "$ROOTFS_DIR/"
