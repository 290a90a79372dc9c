#!/bin/bash -e
# The same assembly as for the Debian image: boot files and root, separately, into the A/B layout.
. "$REPOSITORY/image/lib/assemble.sh"
. "$REPOSITORY/image/lib/app.sh"
. "$REPOSITORY/image/lib/publish.sh"

rm -f "$ROOTFS_DIR"/etc/apt/sources.list.d/00-temp.list "$ROOTFS_DIR"/etc/apt/apt.conf.d/51cache
on_chroot <<'END'
update-initramfs -k all -c
END
# pi-gen runs more steps after our stage: remove again what they may have restored.
: >"$ROOTFS_DIR/etc/machine-id"
ln -sfn /run/systemd/resolve/resolv.conf "$ROOTFS_DIR/etc/resolv.conf"
rm -rf "$ROOTFS_DIR"/var/log/* "$ROOTFS_DIR"/var/lib/apt/lists/*
unmount "$ROOTFS_DIR"

boot=$STAGE_WORK_DIR/boot
rm -rf "$boot"
mv "$ROOTFS_DIR/boot/firmware" "$boot"
install -d "$ROOTFS_DIR/boot/firmware"
install -m 644 "$REPOSITORY/image/pi/config.txt" "$REPOSITORY/image/pi/cmdline.txt" "$boot/"
name=tombolo-$(app_version)
assemble_image "$ROOTFS_DIR" "$boot" "$STAGE_WORK_DIR" "$STAGE_WORK_DIR/$name.img"
publish_image "$STAGE_WORK_DIR/$name.img" "$ROOTFS_DIR/usr/share/tombolo/packages.tsv" "$DEPLOY_DIR"
rm -f "$STAGE_WORK_DIR/$name.img"
