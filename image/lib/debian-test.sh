# shellcheck shell=bash
# The image for QEMU: Debian's own packages and kernel, our stage, the same assembly.
. "$REPOSITORY/image/debian-test/kernel.sh"

# $1 work directory, $2 output directory, $3 yes: keep the base of the last build
build_debian_test() {
  local work=$1 out=$2 packages key
  need_commands mmdebstrap:mmdebstrap mkfs.vfat:dosfstools mcopy:mtools sfdisk:fdisk mke2fs:e2fsprogs cpio:cpio \
    xz:xz-utils depmod:kmod npm:npm git:git
  need_arm64
  mkdir -p "$work"
  packages=$(packages_of "$REPOSITORY/image/stage-tombolo" | paste -sd,)
  key="$SUITE $packages"
  if [ "$3" != yes ] || [ ! -e "$work/base.tar" ] || [ "$(cat "$work/base.key" 2>/dev/null)" != "$key" ]; then
    rm -f "$work/base.key"
    make_base "$work/base.tar" "$packages"
    echo "$key" >"$work/base.key"
  fi

  export ROOTFS_DIR=$work/rootfs
  rm -rf "$ROOTFS_DIR"
  mkdir -p "$ROOTFS_DIR" "$work/boot"
  tar -x --numeric-owner --xattrs --xattrs-include='*' -f "$work/base.tar" -C "$ROOTFS_DIR"
  cp --remove-destination /etc/resolv.conf "$ROOTFS_DIR/etc/resolv.conf"
  make_kernel "$work"
  run_stage "$REPOSITORY/image/stage-tombolo"
  assemble_image "$ROOTFS_DIR" "$work/boot" "$work" "$out/tombolo-debian-test.img"
  cp "$work/vmlinuz" "$out/tombolo-debian-test.vmlinuz"
  cp "$work/initrd" "$out/tombolo-debian-test.initrd"
  cp "$ROOTFS_DIR/usr/share/tombolo/packages.tsv" "$out/tombolo-debian-test.packages.tsv"
  rm -rf "$ROOTFS_DIR"
  echo "build-image: $out/tombolo-debian-test.{img,vmlinuz,initrd}"
}

# $1 tar file, $2 packages with commas. Documentation and languages stay away, licences do not.
make_base() {
  mmdebstrap --mode=root --architectures=arm64 --variant=apt --include="$2" --quiet \
    --aptopt='Apt::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' \
    "$SUITE" "$1.new" \
    "deb $DEBIAN_MIRROR $SUITE main" "deb $DEBIAN_MIRROR $SUITE-updates main" "deb $DEBIAN_SECURITY_MIRROR $SUITE-security main"
  mv "$1.new" "$1"
}
