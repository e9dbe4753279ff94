#!/usr/bin/env bash
# A whole life cycle in two minutes, against a simulated Novita on this machine: no account, no cost.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
simulator_pid=
cleanup() {
  [ -z "$simulator_pid" ] || kill "$simulator_pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
run() {
  local line='' word
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=-]*) line+=" '$word'" ;;
      *) line+=" $word" ;;
    esac
  done
  printf '\n%s$%s%s\n' "$bold" "$line" "$plain"
  "$@"
}

cp "$here"/quickstart/*.yaml "$work"
cd "$work"

say "A simulated Novita, over real HTTP"
printf '$ reconciler simulator --port 0 &\n'
reconciler simulator --port 0 --quiet >simulator.log 2>&1 &
simulator_pid=$!
for _ in $(seq 100); do
  grep -q NOVITA_BASE_URL simulator.log && break
  kill -0 "$simulator_pid" 2>/dev/null || { cat simulator.log; exit 1; }
  read -rt 0.1 <> <(:) || true
done
cat simulator.log
eval "$(grep -o 'export NOVITA_[A-Z_]*=.*' simulator.log)"

say "Three endpoints are declared"
run cat endpoints.yaml
run reconciler validate

say "The plan, and the exact requests"
run reconciler plan
run reconciler preview --target embed

say "Apply"
run reconciler apply --auto-approve
say "A plan after an apply is empty"
run reconciler plan --detailed-exitcode

say "A change that only scales"
run sed -i.bak 's/maxReplicas: 3/maxReplicas: 5/' endpoints.yaml
run reconciler apply --auto-approve

say "A change that updates in place"
run sed -i.bak 's/embed:2.0.1/embed:2.1.0/' endpoints.yaml
run reconciler apply --auto-approve

say "An endpoint that is no longer declared is deleted"
run sed -i.bak '/endpoint: rerank/,$d' endpoints.yaml
run reconciler apply --auto-approve
run reconciler state list

say "The end"
run reconciler destroy --auto-approve
run reconciler state list
