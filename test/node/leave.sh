#!/bin/sh
# `leave.sh ID BRIDGE` takes away what a node left in the kernel: processes, control groups, loop devices, its bridge.
id=$1 bridge=$2

# One in each hierarchy of control groups, or one in all where there is only one hierarchy; no name of them has a space.
groups=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$id")

# What is frozen cannot die.
for state in $([ -n "$groups" ] && find $groups -name freezer.state); do echo THAWED > "$state"; done
tries=0
while [ "$tries" -lt 100 ]; do
  pids=$(for list in $([ -n "$groups" ] && find $groups -name cgroup.procs); do cat "$list"; done 2> /dev/null | sort -u)
  [ -z "$pids" ] && break
  kill -9 $pids 2> /dev/null
  sleep 0.05
  tries=$((tries + 1))
done
for group in $groups; do find "$group" -depth -type d -exec rmdir {} \; ; done 2> /dev/null

ip link delete "$bridge" 2> /dev/null

# A device of the kubelet's over one of ours is named by nothing: what it lies on is our device's file in /dev.
over() {
  losetup --list --noheadings --output NAME,BACK-INO,BACK-MAJ:MIN | awk -v is="$(stat -c '%i %Hd:%Ld' "$1")" '$2 " " $3 == is { print $1 }'
}
for device in $(losetup --list --noheadings --output NAME,BACK-FILE | grep -F "$id" | cut -d ' ' -f 1); do
  for upper in $(over "$device"); do losetup --detach "$upper"; done
  losetup --detach "$device"
done 2> /dev/null
exit 0
