#!/bin/sh
# The first process of a node's own process and mount namespaces: `world.sh ID DIRECTORY DISK_BYTES`. Whatever is mounted
# or started in here is gone when this ends. Outside, DIRECTORY is all that changes.
set -eu
id=$1 directory=$2 bytes=$3

# The kubelet wants a root of its own for pods in each hierarchy; the second version has only one.
for tasks in /sys/fs/cgroup/*/tasks; do
  [ -e "$tasks" ] && mkdir -p "$(dirname "$tasks")/$id"
done

# Where kubelet, containerd and the network plugins write, whatever they are told.
mkdir -p "$directory/lib/upper" "$directory/lib/work" "$directory/kubelet"
mount -t overlay -o "lowerdir=/var/lib,upperdir=$directory/lib/upper,workdir=$directory/lib/work" overlay /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /var/lib/kubelet /var/lib/cni "/run/$id" /run/kernel
mount --bind "$directory/kubelet" /var/lib/kubelet

# The kubelet sets these for the whole machine, unless they are as it likes them: it is shown what it wants to see.
show() {
  [ -e "/proc/sys/$1" ] || return 0
  file=/run/kernel/$(echo "$1" | tr / -)
  echo "$2" > "$file"
  mount --bind "$file" "/proc/sys/$1"
}
show vm/overcommit_memory 1
show vm/panic_on_oom 0
show kernel/panic 10
show kernel/panic_on_oops 1
show kernel/keys/root_maxkeys 1000000
show kernel/keys/root_maxbytes 25000000

# Nobody pulls the plug here: without barriers a database's syncs, and those of an image's import, cost nothing.
disk() {
  truncate -s "$2" "$1.img"
  mkfs.btrfs --quiet "$1.img"
  mkdir -p "$3"
  mount -t btrfs -o loop,noatime,nobarrier "$1.img" "$3"
}
# Every volume and snapshot; and all images and what containers write, which do not take from these.
disk "$directory/volumes" "$bytes" "/run/$id"
disk "$directory/images" 64G "$directory/containerd"

touch "$directory/ready"
# A shell that waits also buries the orphans of this namespace.
while :; do
  sleep 1000000 &
  wait $! || true
done
