#!/bin/bash -e
# An apt repository with stand-ins for the packages of the Raspberry Pi archive that pi-gen's stage0 and stage1 install.
#   standin-archive.sh DIRECTORY
archive=$1
version=0~standin1
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
rm -rf "$archive"
mkdir -p "$archive/pool" "$archive/dists/trixie/main/binary-arm64" "$archive/dists/trixie/main/binary-armhf"

# $1 package, $2 architecture, $3 file to install, $4 where
package() {
  local root=$build/$1
  mkdir -p "$root/DEBIAN"
  printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: test <test@example.com>\nDescription: stand-in (tests only)\n' \
    "$1" "$version" "$2" >"$root/DEBIAN/control"
  [ -z "${3-}" ] || install -D -m 755 "$3" "$root$4"
  dpkg-deb --root-owner-group -Zgzip --build "$root" "$archive/pool/" >/dev/null
}

printf '#!/bin/sh\nexit 0\n' >"$build/nothing"
package raspberrypi-archive-keyring all
package linux-image-rpi-v8 arm64
package linux-image-rpi-2712 arm64
package linux-headers-rpi-v8 arm64
package linux-headers-rpi-2712 arm64
package raspi-firmware all
package raspi-config all "$build/nothing" /usr/bin/raspi-config
cd "$archive"
apt-ftparchive packages pool >dists/trixie/main/binary-arm64/Packages
: >dists/trixie/main/binary-armhf/Packages
apt-ftparchive -o APT::FTPArchive::Release::Suite=trixie -o APT::FTPArchive::Release::Codename=trixie \
  -o APT::FTPArchive::Release::Components=main -o 'APT::FTPArchive::Release::Architectures=arm64 armhf' \
  release dists/trixie >"$build/Release"
mv "$build/Release" dists/trixie/Release
