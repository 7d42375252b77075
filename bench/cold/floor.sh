#!/usr/bin/env bash
# The least that any archiver must do: read every list as raw bytes, and have Git write the finished manifests.
# usage: floor.sh CURL_CONFIG STREAMS OUT
set -euo pipefail

# One process, one connection; nothing is parsed.
curl --silent --show-error --fail --config "$1"

for stream in "$2"/*.stream; do
  name=${stream##*/}
  repository=$3/${name%.stream}.git
  git init --quiet --bare --template= --initial-branch main "$repository"
  git -C "$repository" fast-import --quiet < "$stream"
done
