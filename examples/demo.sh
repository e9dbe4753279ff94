#!/usr/bin/env bash
# A whole life cycle in two minutes, against a simulated Novita on this machine: no account, no cost.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/simulated.sh"

cp "$here"/quickstart/*.yaml "$work"
cd "$work"

say "A simulated Novita, over real HTTP"
start_simulator

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
