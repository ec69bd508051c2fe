#!/bin/sh
# PagerDuty's Go client, unchanged.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cp "$here/go_pagerduty.go" "$dir/main.go"
cd "$dir"
go mod init interop
go get github.com/PagerDuty/go-pagerduty@v1.8.0
go run . "${RINGDOWN_URL:-http://127.0.0.1:8080}" example0pagerduty0key00000000001
