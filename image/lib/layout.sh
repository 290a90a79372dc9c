# shellcheck shell=bash disable=SC2034
# The partitions of the card, in MiB. MBR, because the firmware's tryboot is fragile with GPT. The disk id is the same in every
# image; the first start gives each card its own (firmware's disk-id.sh).
DISK_ID=746f6d62
CONFIG_START=4
CONFIG_SIZE=28
BOOT_SIZE=192
BOOT_A_START=$((CONFIG_START + CONFIG_SIZE))
BOOT_B_START=$((BOOT_A_START + BOOT_SIZE))
EXTENDED_START=$((BOOT_B_START + BOOT_SIZE))
ROOT_SIZE=1024
# Each logical partition has its own table in the MiBs before it; 4 MiB is a good alignment for cards.
ROOT_A_START=$((EXTENDED_START + 4))
ROOT_B_START=$((ROOT_A_START + ROOT_SIZE + 4))
DATA_START=$((ROOT_B_START + ROOT_SIZE + 4))
# Grown to the end of the card at the first start.
DATA_SIZE=64
TOTAL_SIZE=$((DATA_START + DATA_SIZE))
