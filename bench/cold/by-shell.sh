#!/usr/bin/env bash
# What a practised user would write: kubectl, jq and git; one process per resource and per namespace, none per object.
# usage: by-shell.sh KUBECONFIG OUT RESOURCE...
set -euo pipefail
export KUBECONFIG=$1
out=$2
shift 2

mkdir -p "$out"
cd "$out"
for resource in "$@"; do
  kubectl get "$resource" --all-namespaces -o json |
    jq -r -S --arg resource "$resource" '
      .items[]
      | "#" + (.metadata.namespace // "_cluster") + "/" + $resource + "/" + (.metadata.name | gsub(":"; "%3A")) + ".json",
        del(.metadata.managedFields, .metadata.resourceVersion, .metadata.uid, .metadata.creationTimestamp,
            .metadata.generation, .status)' |
    awk '
      /^#/ {
        if (file) close(file)
        file = substr($0, 2)
        folder = file
        sub(/\/[^\/]*$/, "", folder)
        if (!(folder in made)) { system("mkdir -p " folder); made[folder] = 1 }
        next
      }
      { print > file }'
done

for namespace in */; do
  git -C "$namespace" init --quiet --initial-branch main
  git -C "$namespace" add --all
  git -C "$namespace" -c user.name=shell -c user.email=shell@example.com commit --quiet --message "Archive $namespace"
done
