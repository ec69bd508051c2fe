#!/bin/sh
# One alert through a real Alertmanager, by both of its ways: it fires, is repeated, and is resolved.
set -eu
url=${RINGDOWN_URL:-http://127.0.0.1:8080}
port=19093
dir=$(mktemp -d)
cat > "$dir/alertmanager.yml" <<CONFIG
route:
  receiver: ringdown
  group_by: [alertname]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 4s
receivers:
  - name: ringdown
    webhook_configs:
      - url: $url/intake/alertmanager/example-alertmanager-key
    pagerduty_configs:
      - url: $url/v2/enqueue
        routing_key: example0pagerduty0key00000000001
        severity: '{{ or .CommonLabels.severity "critical" }}'
CONFIG
prometheus-alertmanager --config.file="$dir/alertmanager.yml" --storage.path="$dir/data" \
  --web.listen-address=127.0.0.1:$port --cluster.listen-address= > "$dir/log" 2>&1 &
trap 'kill $!; rm -r "$dir"' EXIT
sleep 2

alert() { # its end, if it is over
  curl -sS -f -H 'Content-Type: application/json' "http://127.0.0.1:$port/api/v2/alerts" -d '[{
    "labels": {"alertname": "DatabaseDown", "severity": "critical", "instance": "db1:9100"},
    "annotations": {"summary": "The database on db1 is down"}'"${1:+, \"endsAt\": \"$1\"}"'}]'
}

alert
sleep 8
alert "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
sleep 4
if grep -q 'level=error' "$dir/log"; then cat "$dir/log"; exit 1; fi
echo "Alertmanager has no complaint. What arrived:"
ringdown intake --last 8
