#!/bin/bash
# Builds the image of the appliance. Run as root on Debian or Ubuntu (or with --docker anywhere).
#
#   ./build-image.sh                the image for Raspberry Pi 3, 4 and 5, made by pi-gen
#   ./build-image.sh --debian-test  the same stage on plain Debian, for QEMU: image, kernel and initrd
#   ./build-image.sh --debian-test raspi3b  the same for `qemu-system-aarch64 -M raspi3b`
#   ./build-image.sh --pi-standin   pi-gen end to end with stand-ins for the Raspberry Pi archive (a test of the build)
#   ./build-image.sh --docker       the first, in a container
#
# Options: --work DIR (default build/image-work), --out DIR (default build/image),
#          --reuse-base  keep the Debian base of the last --debian-test build, if the package list is the same
# Environment: DEBIAN_MIRROR (default http://deb.debian.org/debian), DEBIAN_SECURITY_MIRROR, SOURCE_DATE_EPOCH,
#          PI_GEN_URL (another repository with the pinned commit of pi-gen, such as file:///srv/pi-gen)
set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export REPOSITORY
# The timestamp of everything that is built: that of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$REPOSITORY" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
DEBIAN_MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
DEBIAN_SECURITY_MIRROR=${DEBIAN_SECURITY_MIRROR:-http://deb.debian.org/debian-security}

. "$REPOSITORY/image/pins.sh"
. "$REPOSITORY/image/lib/host.sh"
. "$REPOSITORY/image/lib/app.sh"
. "$REPOSITORY/image/lib/assemble.sh"
. "$REPOSITORY/image/lib/run-stage.sh"
. "$REPOSITORY/image/lib/debian-test.sh"
. "$REPOSITORY/image/lib/pi-gen.sh"

mode=pi
machine=virt
work=$REPOSITORY/build/image-work
out=$REPOSITORY/build/image
reuse_base=no
while [ $# -gt 0 ]; do
  case $1 in
    --debian-test)
      mode=debian-test
      case ${2-} in virt | raspi3b)
        machine=$2
        shift
        ;;
      esac
      ;;
    --pi-standin) mode=pi-standin ;;
    --docker) mode=docker ;;
    --reuse-base) reuse_base=yes ;;
    --work | --out)
      [ $# -ge 2 ] || fail "$1 needs a directory"
      if [ "$1" = --work ]; then work=$2; else out=$2; fi
      shift
      ;;
    -h | --help)
      sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown option $1 (see --help)" ;;
  esac
  shift
done
[ "$mode" = docker ] || [ "$(id -u)" -eq 0 ] || fail "must be run as root (or with --docker)"
mkdir -p "$work" "$out"
work=$(cd "$work" && pwd)
out=$(cd "$out" && pwd)

case $mode in
  debian-test) build_debian_test "$machine" "$work/debian-test" "$out" "$reuse_base" ;;
  pi) build_pi "$work/pi" "$out" ;;
  pi-standin) build_pi_standin "$work/pi-standin" "$out" ;;
  docker) build_in_docker "$out" ;;
esac
