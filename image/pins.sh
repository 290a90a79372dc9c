# shellcheck shell=bash disable=SC2034
# What the image is made from. pi-gen is cloned by this tag, from wherever PI_GEN_URL says, and refused when the tag is
# another commit.
PI_GEN_URL=${PI_GEN_URL:-https://github.com/RPi-Distro/pi-gen}
PI_GEN_TAG=2026-06-18-raspios-trixie-arm64
PI_GEN_COMMIT=ca8aeed0ae300c2a89f55ce9617d5f96a27e99e5
SUITE=trixie
