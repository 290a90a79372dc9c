#!/bin/bash -e
# pi-gen: start from the stage before.
if [ ! -d "$ROOTFS_DIR" ]; then
  copy_previous
fi
